"""The gate (闸机): a program beside a barrier that decides with the platform while there is a line, and by itself while
there is none. No person waits for longer than the pack says, and nothing opens before it is written down.

    cli         the commands: pair, run, present, show, sync, self-test, reset
    home        one folder with all that a gate keeps, for its own user alone; `config` is the part that people write
    platform    HTTP to the gateway, each answer within its time
    clock       the time, by the platform's signal where there was one
    supplies    what a gate decides by: pack, lists and keys, fetched, verified and kept
    memory      what a gate has seen: nonces, counters, counts, open journeys
    connection  whether the platform is asked, from what the line did of late
    asked       what a reader saw; `inputs` are where it comes from: text, a keyboard-wedge scanner, pictures, a card
    gate        one presentation from the reader to the barrier
    sync        what happens beside: supplies fetched, journals uploaded, the line tried again
    screen, barrier, selftest   what the person sees, what opens, whether everything is as it must be

Invariants: a line of the journal is on disk before the barrier opens. A sequence is used for one presentation only. The
decision is `onecard_kit.decide`, never another. What a stranger shows, a broken line or a full disk end no process.

Words are those of the kit. A *gate* is the program with its folder; to the platform it is a *terminal*.
"""
