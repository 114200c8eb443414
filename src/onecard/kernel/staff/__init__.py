"""Staff (工作人员): officers and clerks, the roles they hold, and the places in which they hold them.

Words
    officer      a member of staff with a sign-in; leaves are marked, never deleted
    role         a named set of permissions, shipped with the product
    assignment   one officer holds one role in one place (a GB/T 2260 prefix: 3206 is all of Nantong, "" everywhere),
                 for good or until a day
    suspended    an officer whose sign-in is closed and whose permissions rest, until somebody restores them

Invariants
    A permission reaches only the places of the assignment that brought it: a clerk of one county who is also an auditor
    of the whole city is no clerk of the whole city.
    Nobody assigns a role to themselves, nor beyond their own scope, nor for longer than they may assign themselves.
    A second factor is reset by two officers, neither of whom is its owner.
    Every appointment, invitation, assignment, withdrawal, suspension and end of a session leaves a fact.
"""
