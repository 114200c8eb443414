-- What a bearer token stands for: $1 its SHA-256 in hex, $2 today. Scopes are those that agreements in force say today, each
-- with how many requests a minute it bears; of two agreements about one scope the later counts.
SELECT token.expires, token.scope, credential.valid_to, credential.client_id, client.id, client.code, client.state,
       coalesce((SELECT jsonb_object_agg(agreed.scope, agreed.per_minute ORDER BY agreed.starts_on)
                 FROM sharing_agreement AS agreed
                 WHERE agreed.client_id = client.id AND agreed.starts_on <= $2 AND agreed.ends_on > $2), '{}')::text
FROM oauth2_provider_accesstoken AS token
JOIN sharing_credential AS credential ON credential.id = token.application_id
JOIN catalogue_client AS client ON client.id = credential.owner_id
WHERE token.token_checksum = $1
