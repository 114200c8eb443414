"""Webhooks (消息推送): brings messages to the endpoints that clients' systems listen at.

protocol      a message as CloudEvents 1.0 in JSON, signed after RFC 9421; without I/O
addresses     where messages may go
caller        one request, one answer, within a time limit
delivering    claims what is due, sends several at once, notes what came of each
jobs          by the clock

A message comes at least once, in no particular order, under one id. Who answers 2xx has taken it.
"""
