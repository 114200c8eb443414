"""Sign-ins: who may open a session, at which of the two web processes.

Invariants
    A user is either staff or a holder, never both (CHECK); a holder has at most one sign-in.
    Each web process opens sessions for its own kind only, in a session table of its own.
    A code by short message opens one session, within five minutes and five tries; it rests sealed.
    Wrong passwords are counted in the database, so that the limit holds across processes and machines.

Words
    user (用户)      a name and a password; what it may do is said by `staff` or follows from being the holder
    kind (类别)      'staff' or 'holder'
    code (验证码)    six digits sent to the phone registered for a holder
    invitation (首次登录码)  what an officer sets their own password with, once, within three days
    passkey (通行密钥)  somebody's own key on a phone or computer: another way in, beside short message or password
    second factor (第二步验证)  an authenticator's code beside an officer's password, or a passkey in place of both
    throttle         counted attempts, kept until they expire
"""
