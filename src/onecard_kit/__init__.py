"""What runs at the gate: formats and rules that the server and an offline gate share, so that each exists once.

Invariants: no clock, no I/O, no database, no web framework; every function works on values and bytes it is given, so
the same call gives the same answer in the gateway, at a gate without signal, in the console's "why?" and in a test.
The one exception is `journal_file`, which writes where it is told to.

Formats
    suites      a signature suite (签名算法套件): its COSE number and how it signs and verifies
    sm2         SM2 by the operating system's OpenSSL 3: one of the suites
    codes       the signed code (二维码) that a phone shows: encode, decode, verify
    refs        the daily `ref`: an e-card's serial under a keyed permutation
    chips       the card chip's cryptogram (simulated)
    numbers     the number (数字码) that a holder reads aloud where no reader takes the code
    requests    how a terminal proves a request is its own
    presentation   what a terminal was shown, and the digest by which two tellings of it are one
    journal     the lines that a gate without a line writes; `journal_file` keeps them on its disk
    card_file   what a physical card carries, signed, for gates without a line
    pack        what such a gate decides by; `status_list` and `withdrawn` are the lists it fetches besides

Terms
    terms       what an item declares; `fares` its prices by way and time, `classes` whom it can name
    item_files  an item's file, decoded strictly; `item_keys` says what each key means
    offline     facts from a pack, the lists and a gate's memory, for `decide`; whether a gate may decide at all
    admissions  who pays where a gate admitted and the platform would have refused
    decide      facts in, verdict out, with every rule that was looked at
    reasons     a decision in words; `verdicts` are what it can come to

Words: a *code* is one signed presentation of an e-card; a *ref* stands for the e-card's serial on one China day; a
*suite* is a signature algorithm with its numbers; a *terminal* (终端) is the device at a point of use.
"""
