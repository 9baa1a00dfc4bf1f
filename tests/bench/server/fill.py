"""Settles all orders of a ledger, and fills it with copies of one of them, up to a number of orders.

Called as `fill.py LEDGER ORDERS` while no server runs. The copies have numbers and tokens of their
own. Afterwards all orders are paid and have no due work, as almost all orders of a shop that has run
for a year: queries about older orders would count as the cost of what is measured next.
"""

import sqlite3
import sys

ledger, target = sys.argv[1], int(sys.argv[2])
database = sqlite3.connect(ledger)
database.execute("PRAGMA foreign_keys = OFF")


def copies(table, key, changed):
    """Copies the row of the template once for each new order; `changed` replaces its columns."""
    columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
    values = [changed.get(column, f"template.{column}") for column in columns]
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} "
        f"FROM numbers, (SELECT * FROM {table} WHERE {key} = :template ORDER BY rowid LIMIT 1) AS template"
    )


(template,) = database.execute("SELECT order_id FROM attempts ORDER BY order_id LIMIT 1").fetchone()
(count, newest) = database.execute("SELECT count(*), max(id) FROM orders").fetchone()
numbers = "WITH RECURSIVE numbers (n) AS (SELECT :first UNION ALL SELECT n + 1 FROM numbers WHERE n < :last) "
limits = {"template": template, "first": newest + 1, "last": newest + target - count}
with database:
    database.execute("UPDATE orders SET state = 'paid' WHERE state = 'open'")
    database.execute("UPDATE attempts SET state = 'paid' WHERE state IN ('prepared', 'open')")
    database.execute("DELETE FROM due_work")
    if target > count:
        order = {"id": "n", "order_no": "'FILL-' || n", "token": "'fill' || printf('%028d', n)", "state": "'paid'"}
        database.execute(numbers + copies("orders", "id", order), limits)
        attempt = {"order_id": "n", "out_trade_no": "'F' || printf('%031d', n)", "state": "'paid'"}
        if "return_handle" in [row[1] for row in database.execute("PRAGMA table_info(attempts)")]:
            attempt["return_handle"] = "'fill' || n"
        database.execute(numbers + copies("attempts", "order_id", attempt), limits)
database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
database.close()
