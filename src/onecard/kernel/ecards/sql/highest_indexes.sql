-- The highest index of each list that grows: of paper codes, cards, terminals.
SELECT (SELECT max(serial) FROM ecards_paper_code), (SELECT max(card_id) FROM cards_standing),
       (SELECT max(id) FROM catalogue_terminal)
