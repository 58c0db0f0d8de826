"""PostgreSQL: the only room that knows SQL. Each module's statements lie beside it in a file of the same stem."""
