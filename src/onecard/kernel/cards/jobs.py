"""Jobs of cards."""

from procrastinate.contrib.django import app

from onecard.foundation.actors import system
from onecard.foundation.jobs import PATIENT
from onecard.kernel.cards import actions

# What fails here is the database being away or a key file being swapped: worth four hours of trying, ever more slowly.


@app.task(name="cards.refresh_standing", queue="cards", retry=PATIENT)
def refresh_standing(holder_id: int) -> None:
    """Bring the cards of a holder after a change of their classes or their life. Running it twice changes nothing."""
    actions.follow_holder(system("worker"), holder_id)
