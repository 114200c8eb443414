"""Partners (合作单位): the organisations money and services flow between: banks, operators, treasuries, departments.

A party is named by its `code`, which declarations use; it is suspended, never deleted, because accounts and cards keep
pointing at it.
"""
