"""The operator of short messages (短信通道): texts to holders' phones, handed over and not heard of again.

    caller     docs/sms-gateway.md: one request within a time limit
    sending    what is sent: the code that a holder signs in with; `jobs` does so when a page asks

Invariants
    * A message is known to the operator by an id of ours: handed over twice, it is sent once.
    * A text names nobody and holds no number of a card; the phone's number goes to the operator and nowhere else.
    * What cannot be handed over before it has lapsed is not sent at all.
"""
