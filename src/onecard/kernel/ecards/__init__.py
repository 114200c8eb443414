"""E-cards (电子社保卡): the electronic card on a card, the keys that sign its codes, the phones that show it.

Words
    e-card      one for each card; it has no state of its own, it is read from its card
    serial      its number, 0 to 2^24 - 1; codes carry it only under a keyed permutation that changes daily
    key         an issuer key; one signs at a time, older ones verify until their last codes have aged out
    ref key     the key of that permutation, from a day on
    device      a phone that may fetch codes for one e-card, known by the digest of its token
    number      what is read aloud to staff where no reader takes the code: one for an e-card, for 180 seconds

Invariants
    * An e-card is signed up on a valid, active card and closes without touching the card.
    * `cards_standing.ecard_serial` names the e-card of a card while it is open, and nothing else writes it.
    * At most one key signs. A withdrawn key is refused at once, everywhere the key list is read.
    * A token is shown once, when its device is enrolled; the database holds only its SHA-256.
    * What phones of an e-card fetched up to `cards_standing.codes_from` is refused online: one of them was revoked.
    * A relative's phone fetches codes by a tie that both agreed to, and no longer than it stands; they say so, and it
      gets no number to read aloud.
    * A number is shown once, to the phone that asked for it; the database holds only its digest under a key.
"""
