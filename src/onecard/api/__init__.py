"""The department API (部门接口): departments' and banks' systems. OAuth 2 client credentials, JSON, OpenAPI 3.1.

Its own process and its own database role, which opens no sealed column. What a caller may do is what its client's
agreements say (`kernel/sharing`); a holder has another name, a pseudonym, for each client.

app.py       the operations, and the OpenAPI document they make
access.py    who calls, what they may, how often
declare.py   how an operation is declared: its scope, its answer, its refusals
problems.py  what every refusal looks like (RFC 9457)
tokens.py    the token endpoint
keeper.py    the log of calls, written beside the answers
"""
