-- The newest list of a name ($1) in a form ($2).
SELECT number, etag, body FROM ecards_status_list WHERE name = $1 AND form = $2
