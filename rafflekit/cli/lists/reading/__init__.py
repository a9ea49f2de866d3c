"""From the bytes of a list to its rows: what kind of file it is, its encoding, separator, header and columns.

`understanding` puts it together; nothing here knows participants or tickets.
"""
