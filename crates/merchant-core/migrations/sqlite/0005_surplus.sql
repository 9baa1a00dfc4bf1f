-- Surplus that came before this server gave it back by itself.
INSERT INTO due_work (kind, subject, due_ms)
SELECT 'refund_surplus', out_trade_no, 0 FROM attempts WHERE state = 'surplus';
