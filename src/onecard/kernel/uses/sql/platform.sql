-- Who bears what the platform bears.
SELECT owner FROM ledger_account WHERE role = 'platform.shortfall'
