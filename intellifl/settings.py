"""Django settings; every value that may differ between machines comes from `environment`."""

from __future__ import annotations

import dj_database_url

from intellifl import assets
from intellifl.environment import ROOT, environment
from intellifl.secret_key import secret_key

ENVIRONMENT = environment()

BASE_DIR = ROOT
OUT_DIR = ENVIRONMENT.out_dir
DATA_DIR = ENVIRONMENT.data_dir
DEBUG = ENVIRONMENT.debug
SECRET_KEY = ENVIRONMENT.secret_key or secret_key(DATA_DIR)
ALLOWED_HOSTS = ENVIRONMENT.allowed_hosts
REQUIRE_AUTH = ENVIRONMENT.require_auth
TLS_PROXY = ENVIRONMENT.tls_proxy
TERMINAL = ENVIRONMENT.terminal
RESUMES_BY_ITSELF = ENVIRONMENT.resume == "auto"

INSTALLED_APPS = [
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "ninja",
    "intellifl.access",
    "django_celery_results",
    "simulations",
    "datasets_app",
    "terminal",
]

MIDDLEWARE = [
    "intellifl.middleware.RequestIdMiddleware",
    "intellifl.middleware.ProblemMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "intellifl.middleware.SecurityHeadersMiddleware",
    "intellifl.middleware.StaticFilesMiddleware",
    "intellifl.middleware.ApiPathMiddleware",
    "intellifl.middleware.SameOriginMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "intellifl.middleware.LoginMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

ROOT_URLCONF = "intellifl.urls"
ASGI_APPLICATION = "intellifl.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {"default": dj_database_url.parse(ENVIRONMENT.database_url)}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Measured: only WAL with IMMEDIATE and a long timeout has no "locked" errors.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
APPEND_SLASH = False

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/simulations/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
# HttpOnly and SameSite=Lax are Django's own choice for the session's cookie.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = TLS_PROXY
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TLS_PROXY else None
SECURE_HSTS_SECONDS = ENVIRONMENT.hsts_seconds

STATIC_URL = "/static/"
STATICFILES_DIRS = [("vendor", assets.SERVED)]
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False

MAX_BODY_BYTES = 1 << 20
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES
# The form of a new simulation has a field for each setting of each strategy.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": ENVIRONMENT.log_level},
}
