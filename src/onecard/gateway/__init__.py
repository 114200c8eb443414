"""The gateway (接入网关): machines at the edge. The fast lane on which terminals present cards; plain RSGI, no Django.

Its own process and its own database role, which cannot read a name, a number or a birth date.

    POST /v1/uses       one presentation, signed by the terminal; answered when its group is committed
    POST /v1/refunds    give a use back
    POST /v1/pairings   a pairing code becomes a terminal's key and journal, once
    POST /v1/codes      a device's next code windows
    POST /v1/numbers    a number to read aloud, for a device that asks
    GET  /terminal/     a terminal in a browser
    GET  /health        the process and its database answer
"""
