"""Sharing (数据共享): what a client is told, on which agreement, how often, and under which name it knows a holder.

agreement (共享协议)   that a client may do what one scope says, for a purpose and on a legal basis, until a day
scope (授权项)         one thing a client may be allowed to do (`scopes`)
credential (接入凭据)  an id and a secret by which a client proves itself; a client may have several, so that one takes
                       over from the other without a gap
allowance (调用限额)   how many requests a minute an agreement bears, counted over all processes at once
call (调用)            one request of a client to the department API; its line is kept for thirty days
endpoint request       where a client wants messages, until an officer files it or declines
(接收地址申请)
kept answer            what a write was answered, under the key that the client chose for it, so that sending it again
(留存的答复)           does nothing twice
pseudonym (代号)       the name under which one client knows a holder; each client has others, and none is stored
disclosure (数据调用)  one reading of a holder's data by a client: a fact about the holder, with its agreement

`actions` is what officers do about clients, `register` what they read of them, `queries` what a token may do at this
moment, `disclosures` what a client learns of a holder.

Invariants: a client learns nothing of a holder without a fact that the holder can see; a secret is shown once and
known by its hash only; what a token may do is what it was given for *and* what agreements in force still say, so that
ending an agreement, a credential or a client ends it at once; an agreement ends on a day, always.
"""
