"""What everything stands on: PostgreSQL, crypto, money, clock, ids, errors. It knows no card and no person."""
