"""The demo city: everything of a node on one machine, under one process that starts, watches and stops it.

command    ``onecard demo``: database, roles, keys, tables, city, processes, and the screen that says where to go
supervise  children: started in order, waited for, restarted, stopped in order
"""
