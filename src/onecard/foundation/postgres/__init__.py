"""PostgreSQL for everything above: an embedded server or your own, six roles, their grants, their addresses.

binaries  finds PostgreSQL's programs and the account that runs them
embedded  starts and stops PostgreSQL from the wheel's binaries, for the demo, the tests and small places
roles     makes the database and its six roles
grants    compares what the roles may do with the golden table, and brings the database to it
urls      reads and writes ``postgresql://`` addresses (imports no driver, so the gateway may use it)
raw       runs ``$1`` statements on Django's connection

Invariants: no role but the owner makes or changes a table; a role may do exactly what ``settings/grants.toml`` says;
a server we start listens on no network port and asks every connection for its password (SCRAM-SHA-256).

Words: *admin* is the role that may make databases and roles; *owner* owns the tables and migrates them;
*public*, *staff*, *gateway* and *worker* are the four that serve.
"""
