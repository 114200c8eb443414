-- Later keys of the daily permutation, each good from its day on.
SELECT id, from_day, key_sealed FROM ecards_ref_key ORDER BY from_day
