"""OneCard (一卡通): the open platform of a city where one social security card replaces every other card in town."""

__version__ = "0.1.0"
