"""A small OpenID provider on PyPI's `authlib` and Flask, with one public client and one person, in memory, for the
tests. Polar's server is built on the same library, so what this one does by itself, that one may do too.

GET /log says what was asked for, in the form of the log of the other provider of the tests.
"""

import argparse
import os
import secrets
import time
from types import SimpleNamespace
from urllib.parse import urlencode, urlsplit

# The issuer is on loopback: the library would refuse it for want of TLS.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector, current_token
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import ClientMixin, TokenMixin, grants, list_to_scope, scope_to_list
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9207 import IssuerParameter
from authlib.oidc.core import AuthorizationCodeMixin, OpenIDCode, UserInfo
from flask import Flask, g, jsonify, request, session
from joserfc.jwk import ECKey, KeySet, RSAKey
from werkzeug.serving import make_server

arguments = argparse.ArgumentParser()
arguments.add_argument("--client", required=True)
arguments.add_argument("--redirect-uri", required=True)
arguments.add_argument("--access-token-lifetime", type=int, default=864000)
options = arguments.parse_args()

PERSON = UserInfo(sub="olive", name="Olive Oyl", email="olive@example.com", email_verified=True)
SIGNING_KEY = RSAKey.generate_key(2048, {"use": "sig", "kid": "signing"}, private=True)
OTHER_KEY = ECKey.generate_key("P-384", {"use": "sig", "kid": "another"}, private=True)
SITE = "{0.scheme}://{0.netloc}".format(urlsplit(options.redirect_uri))

app = Flask(__name__)
app.secret_key = secrets.token_bytes()
app.config["OAUTH2_REFRESH_TOKEN_GENERATOR"] = True
app.config["OAUTH2_TOKEN_EXPIRES_IN"] = dict.fromkeys(
    ["authorization_code", "refresh_token"], options.access_token_lifetime
)
http = make_server("127.0.0.1", 0, app, threaded=True)
# An issuer that ends with a slash, which the address of the metadata leaves out.
ISSUER = f"http://127.0.0.1:{http.server_port}/"

codes, tokens, log = {}, [], []


class Client(ClientMixin):
    client_id = options.client

    def get_client_id(self):
        return self.client_id

    def get_default_redirect_uri(self):
        return options.redirect_uri

    def get_allowed_scope(self, scope):
        return list_to_scope([one for one in scope_to_list(scope) if one in ("openid", "profile", "email")])

    def check_redirect_uri(self, redirect_uri):
        return redirect_uri == options.redirect_uri

    def check_endpoint_auth_method(self, method, endpoint):
        return method == "none"

    def check_response_type(self, response_type):
        return response_type == "code"

    def check_grant_type(self, grant_type):
        return grant_type in ("authorization_code", "refresh_token")


CLIENT = Client()


class Code(SimpleNamespace, AuthorizationCodeMixin):
    def get_redirect_uri(self):
        return self.redirect_uri

    def get_scope(self):
        return self.scope

    def get_nonce(self):
        return self.nonce

    def get_auth_time(self):
        return self.auth_time


class Token(SimpleNamespace, TokenMixin):
    revoked = False

    def check_client(self, client):
        return client is CLIENT

    def get_scope(self):
        return self.scope

    def is_expired(self):
        return time.time() >= self.issued_at + self.expires_in

    def is_revoked(self):
        return self.revoked


def token_with(name, value):
    return next((token for token in tokens if getattr(token, name) == value), None)


class CodeGrant(grants.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["none"]

    def save_authorization_code(self, code, request):
        data = request.payload.data
        codes[code] = Code(
            redirect_uri=request.payload.redirect_uri,
            scope=request.payload.scope,
            nonce=data.get("nonce"),
            auth_time=int(time.time()),
            code_challenge=data.get("code_challenge"),
            code_challenge_method=data.get("code_challenge_method"),
            text=code,
        )

    def query_authorization_code(self, code, client):
        return codes.get(code)

    def delete_authorization_code(self, authorization_code):
        del codes[authorization_code.text]

    def authenticate_user(self, authorization_code):
        return PERSON


class RefreshGrant(grants.RefreshTokenGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["none"]
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token):
        token = token_with("refresh_token", refresh_token)
        return token if token and not token.revoked else None

    def authenticate_user(self, refresh_token):
        return PERSON

    def revoke_old_credential(self, refresh_token):
        refresh_token.revoked = True


class IdToken(OpenIDCode):
    def exists_nonce(self, nonce, request):
        return any(code.nonce == nonce for code in codes.values())

    def resolve_client_private_key(self, client):
        return SIGNING_KEY

    def get_client_claims(self, client):
        return {"iss": ISSUER}

    def generate_user_info(self, user, scope):
        return UserInfo(sub=user["sub"])


class Revocation(RevocationEndpoint):
    CLIENT_AUTH_METHODS = ["none"]

    def query_token(self, token, hint):
        return token_with("access_token", token) or token_with("refresh_token", token)

    def revoke_token(self, token, request):
        token.revoked = True


class Issuer(IssuerParameter):
    """`iss` in the answer, which the metadata does not announce."""

    def get_issuer(self):
        return ISSUER


class Bearer(BearerTokenValidator):
    def authenticate_token(self, token_string):
        return token_with("access_token", token_string)


def save_token(token, request):
    tokens.append(Token(issued_at=time.time(), **token))


server = AuthorizationServer(app, lambda client_id: CLIENT if client_id == CLIENT.client_id else None, save_token)
server.register_grant(CodeGrant, [IdToken(), CodeChallenge(required=True)])
server.register_grant(RefreshGrant)
server.register_endpoint(Revocation)
server.register_extension(Issuer())
require_token = ResourceProtector()
require_token.register_token_validator(Bearer())


@app.before_request
def note():
    if request.path != "/log":
        g.seen = {
            "method": request.method,
            "path": request.path,
            "query": request.query_string.decode(),
            "headers": dict(request.headers),
            "body": urlencode(list(request.form.items(multi=True))),
            "millis": int(time.time() * 1000),
        }
        log.append(g.seen)


@app.after_request
def answered(response):
    if "seen" in g:
        g.seen["status"] = response.status_code
    if request.path != "/authorize" and request.headers.get("Origin") == SITE:
        response.headers["Access-Control-Allow-Origin"] = SITE
        response.headers["Access-Control-Allow-Headers"] = "authorization"
    return response


@app.get("/log")
def requests():
    return jsonify(log)


@app.get("/.well-known/openid-configuration")
def metadata():
    return jsonify(
        issuer=ISSUER,
        authorization_endpoint=ISSUER + "authorize",
        token_endpoint=ISSUER + "token",
        userinfo_endpoint=ISSUER + "userinfo",
        revocation_endpoint=ISSUER + "revoke",
        jwks_uri=ISSUER + "jwks",
        response_types_supported=["code"],
        subject_types_supported=["public"],
        id_token_signing_alg_values_supported=["RS256"],
        # That public clients are welcome at the token endpoint is not said: many providers do not.
        revocation_endpoint_auth_methods_supported=["none"],
    )


@app.get("/jwks")
def jwks():
    return jsonify(KeySet([OTHER_KEY, SIGNING_KEY]).as_dict(private=False))


def page(title, *buttons):
    form = "".join(f"<button name={name} value={value}>{value}</button> " for name, value in buttons)
    return f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><h1>{title}</h1><form method=post>{form}</form></html>"


@app.route("/authorize", methods=["GET", "POST"])
def authorize():
    if "person" in request.form:
        session["person"] = request.form["person"]
    user = PERSON if "person" in session else None
    try:
        grant = server.get_consent_grant(end_user=user)
    except OAuth2Error as error:
        return server.handle_error_response(server.create_oauth2_request(request), error)
    if "decision" in request.form:
        allowed = request.form["decision"] == "allow"
        return server.create_authorization_response(grant_user=user if allowed else None, grant=grant)
    if grant.prompt == "login" and request.method == "GET" or not user:
        return page("Who are you?", ("person", PERSON["sub"]))
    return page("May it?", ("decision", "allow"), ("decision", "deny"))


@app.post("/token")
def token():
    return server.create_token_response()


@app.post("/revoke")
def revoke():
    return server.create_endpoint_response(Revocation.ENDPOINT_NAME)


@app.get("/userinfo")
@require_token("openid")
def userinfo():
    return jsonify(PERSON.filter(current_token.scope))


print(f"issuer {ISSUER}", flush=True)
http.serve_forever()
