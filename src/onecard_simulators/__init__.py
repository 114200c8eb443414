"""The outside world, as real programs that speak only the wire: for the demo and for tests.

Nothing of the product is imported here. What a simulator needs to know (how a terminal signs, what a chip answers,
which fares are published) it knows from the documents, so that a mistake of ours is not made twice and hidden.

    http      requests and answers
    wire      a terminal's and a phone's side of the gateway's HTTP interface, and a customer's of the bank's
    tariff    the published terms as a stranger reads the item files
    resident  what a resident knows of themselves, and what each visit leaves behind
    expecting what a resident may expect of a visit, by the published terms
    rhythm    the plan of a day: who goes where at which minute
    visits    a day in play: residents, what they present, what they expected
    incidents what goes wrong, each at least once a day
    day       one synthetic day of the city
    sms       an operator of short messages as a server, which shows what it took
    bank_book the books of a partner bank: accounts, holds, statements
    bank      the partner bank as a server, and how a test makes it misbehave
"""
