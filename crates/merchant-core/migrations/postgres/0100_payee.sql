-- The name of who is paid, if the order names one. NULL: the configured one.
ALTER TABLE orders ADD COLUMN payee TEXT;
