"""What every list of the admin is made of: chips that narrow it, pages, columns, bulk actions.

The address bar holds all that narrows a list, as plain parameters, so that a link, a saved view
and a form without a script are one thing.
"""
