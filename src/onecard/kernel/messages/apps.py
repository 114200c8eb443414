"""The app under a label of its own: Django's own messages, which pages flash, are called so already."""

from django.apps import AppConfig


class MessagesConfig(AppConfig):
    name = "onecard.kernel.messages"
    label = "onecard_messages"
