"""A Telegram Bot API that runs on loopback, with a chat page, so that a demo needs no token.

Parts, from the pure to the outside::

    errors  model  markup                   what Telegram answers, stores and parses
    updates  menu  photos  chats  faults    the state, and misbehaviour to order
    requests  composing  methods            Bot API methods over the state
    polling  live  views  fake              who waits for news, and what they are told
    bot_api  page_api  server  page         HTTP
    settings  __main__                      the process
"""
