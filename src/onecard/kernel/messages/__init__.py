"""Messages (消息): what is told to whom, through an outbox: a dead receiver costs a delay and never a message.

message (消息)      that something happened, told to one receiver; written in the transaction of what it tells of
endpoint (接收地址) an address at which a receiver takes messages of some kinds, and the key that signs them
delivery (投递)     one message on its way to one endpoint: waiting, delivered, or dead after three days of trying

`outbox` writes messages and brings deliveries from state to state, `signing` derives the keys, `queries` lists.

Invariants: a message stands or falls with what it tells of; it is delivered at least once, in no particular order,
under one id; what was given up is not lost: it can be sent again.
"""
