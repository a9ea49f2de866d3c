"""Everything that knows SQL: the schema, the database and its transactions, and the queries.

Functions of `queries` take a connection and never commit; `database.Database` begins and ends transactions
for the engine. Nothing outside `rafflekit.core.engine` comes in here.
"""
