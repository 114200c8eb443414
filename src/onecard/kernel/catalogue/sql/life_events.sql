-- The life events that some versions of items are for, one row each.
-- $1 versions. Returns life event.
SELECT jsonb_array_elements_text(declaration -> 'life_events') FROM catalogue_item_version WHERE id = ANY ($1::bigint[])
