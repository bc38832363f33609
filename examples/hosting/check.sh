#!/bin/sh
# Looks at a deployed polar-signin from outside, with curl: check.sh [--meta] https://app.example.com/
# --meta: for a host without headers of your own (GitHub Pages): the policy is expected in the page, and what
# only a header can do is left out.
set -eu

meta=
if [ "${1:-}" = --meta ]; then meta=yes; shift; fi
site=${1:?usage: check.sh [--meta] URL, with the closing slash of its folder}
failed=0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

say() { printf '%s %s\n' "$1" "$2"; [ "$1" = ok ] || failed=1; }
# expect WHAT COMMAND…: says whether the command succeeds.
expect() { what=$1; shift; if "$@"; then say ok "$what"; else say FAILED "$what"; fi; }
# get URL: leaves the body in $folder/body, the headers in lower case in $folder/headers, and the status in $status.
get() {
    : >"$folder/body"
    : >"$folder/raw"
    status=$(curl --silent --show-error --max-time 20 --output "$folder/body" --dump-header "$folder/raw" \
        --write-out '%{http_code}' "$1") || status=000
    tr -d '\r' <"$folder/raw" | awk '{ i = index($0, ":"); print tolower(substr($0, 1, i)) substr($0, i + 1) }' \
        >"$folder/headers"
}
header() { sed -n "s/^$1: *//p" "$folder/headers"; }
is() { [ "$1" = "$2" ]; }
holds() { case $1 in *"$2"*) ;; *) return 1 ;; esac; }
lacks() { ! holds "$1" "$2"; }
unless_meta() { if [ -z "$meta" ]; then expect "$@"; fi; }

get "$site"
expect "the app is at $site" is "$status" 200
page=$(cat "$folder/body")
expect "it is polar-signin" holds "$page" data-wasm
unless_meta "the page is kept by no cache" holds "$(header cache-control)" no-store
unless_meta "Referrer-Policy: no-referrer" is "$(header referrer-policy)" no-referrer
unless_meta "X-Content-Type-Options: nosniff" is "$(header x-content-type-options)" nosniff
if [ -n "$meta" ]; then
    policy=$(sed -nE 's/.*http-equiv="?[Cc]ontent-[Ss]ecurity-[Pp]olicy"? content="([^"]*)".*/\1/p' "$folder/body")
else
    policy=$(header content-security-policy)
fi
for part in "default-src 'none'" "script-src 'self' 'wasm-unsafe-eval'" "style-src 'self'" "base-uri 'none'" \
    "form-action 'self'" "require-trusted-types-for 'script'"; do
    expect "the policy has $part" holds "$policy;" "$part;"
done
unless_meta "the policy has frame-ancestors 'none'" holds "$policy;" "frame-ancestors 'none';"
for part in "'unsafe-inline'" "'unsafe-eval'"; do expect "the policy has no $part" lacks "$policy" "$part"; done

files=$(printf '%s' "$page" | tr '<> ' '\n\n\n' | sed -nE 's/^(src|href|data-js|data-wasm)="?([^"]*)"?$/\2/p' | sort -u)
for file in $files; do
    get "$site${file#./}"
    expect "$file is there" is "$status" 200
    case $file in
        *.css) type=text/css ;;
        *.js) type=javascript ;;
        *.svg) type=image/svg+xml ;;
        *.wasm) type=application/wasm ;;
        *) type=/ ;;
    esac
    expect "$file is $type" holds "$(header content-type)" "$type"
    unless_meta "$file is kept by caches" holds "$(header cache-control)" immutable
done

held=$(printf '%s' "$page" | tr -d '\n' | sed -n "s/.*<meta name=polar-signin-settings content='\([^']*\)'.*/\1/p")
if [ -n "$held" ]; then
    # As the page holds them: no value that matters here has a character that would be written otherwise.
    printf '%s' "$held" >"$folder/body"
else
    get "${site}config.json"
    expect "config.json is there" is "$status" 200
    expect "config.json is JSON" holds "$(header content-type)" application/json
    unless_meta "config.json is kept by no cache" holds "$(header cache-control)" no-store
fi
# member NAME: a text of the JSON in the last body.
member() { tr -d '\n' <"$folder/body" | sed -n "s/.*\"$1\" *: *\"\([^\"]*\)\".*/\1/p"; }
case $(member provider) in
    '' | polar) metadata=https://api.polar.sh/.well-known/openid-configuration ;;
    polar-sandbox) metadata=https://sandbox-api.polar.sh/.well-known/openid-configuration ;;
    *) metadata=$(member metadata_url); issuer=$(member issuer)
        [ -n "$metadata" ] || metadata=${issuer%/}/.well-known/openid-configuration ;;
esac
get "$metadata"
expect "the provider answers at $metadata" is "$status" 200
endpoints=$(
    tr ',{}' '\n\n\n' <"$folder/body" |
        sed -nE 's/^ *"(token_endpoint|userinfo_endpoint|jwks_uri|revocation_endpoint|registration_endpoint)" *: *"([^"]*)".*/\2/p'
)
allowed=$(printf '%s;' "$policy" | sed -n 's/.*connect-src \([^;]*\);.*/\1/p')
for origin in $(printf '%s\n' "$metadata" "$endpoints" | sed -nE 's|^(https?://[^/]*).*|\1|p' | sort -u); do
    expect "connect-src has $origin" holds " $allowed " " $origin "
done

# Where an answer of the provider must never end: an address that is not the app's.
secret=code-of-this-check
get "${site}no-such-page?code=$secret&state=$secret"
expect "an address that is not there is a 404" is "$status" 404
expect "it is not the app" lacks "$(cat "$folder/body")" data-wasm
expect "it does not repeat the query" lacks "$(cat "$folder/body" "$folder/headers")" "$secret"
expect "it is kept by no cache for long" lacks "$(header cache-control)" immutable

[ "$failed" = 0 ] && echo "all is well"
exit "$failed"
