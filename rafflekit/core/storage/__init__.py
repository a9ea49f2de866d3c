"""Everything that knows SQL: the schema, the databases and their transactions, and the statements.

Functions of `statements` take a connection and never commit; `database.Database` begins and ends transactions. Only the
core uses this room.
"""
