"""What both web processes share: the base page, the kit of macros, static files, headers, language.

It knows no card and no person.
"""
