-- The newest list of a day ($1 date) in a form ($2).
SELECT number, etag, body FROM ecards_status_list WHERE day = $1 AND form = $2
