"""Sign-ins: who may open a session, at which of the two web processes.

Invariants
    A user is either staff or a holder, never both (CHECK); a holder has at most one sign-in.
    Each web process opens sessions for its own kind only, in a session table of its own.
    Wrong passwords are counted in the database, so that the limit holds across processes and machines.

Words
    user (用户)      a name and a password; what it may do is said by `staff` or follows from being the holder
    kind (类别)      'staff' or 'holder'
    throttle         counted attempts, kept until they expire
"""
