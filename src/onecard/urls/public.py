"""The WSGI application of the public web process: `granian --interface wsgi onecard.urls.public:application`."""

import os

from django.core.wsgi import get_wsgi_application

from onecard.foundation.web import static_files

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onecard.settings.public")
if not os.environ.get("ONECARD_SECRET_KEY"):
    raise SystemExit(
        "ONECARD_SECRET_KEY is not set: the workers of a web process must share one. / 请设置 ONECARD_SECRET_KEY。"
    )


def _application() -> object:
    import django

    django.setup()
    static_files.collect()
    return get_wsgi_application()


application = _application()
