-- Cards and the index under which their standing is found.
SELECT card.number, s.number_index FROM cards_card card JOIN cards_standing s ON s.card_id = card.id
