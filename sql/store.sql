-- name: transaction_begin
BEGIN IMMEDIATE;

-- name: transaction_commit
COMMIT;

-- name: sequence_take
-- Reserve :count lease ids; the answer is the first one after them.
UPDATE sequence SET next = next + :count WHERE name = 'lease' RETURNING next;
