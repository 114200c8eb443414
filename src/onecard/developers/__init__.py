"""The integrators' face (开放平台): reference, sandbox and trial of both interfaces, under ``/dev/`` of the public web
process.

It holds no right of its own in the database: the reference is made from files that ``tools/docs.py`` writes from what
gateway and department API declare, and everything else it asks of those two over HTTP, as an integrator does; what is a
client's own with the client's own token (`department.py`).
"""
