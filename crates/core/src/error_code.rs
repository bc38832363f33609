//! The table of error codes: name, fault, retry, hint. One line a code, in alphabetical order.

use crate::error::{Fault, Retry};

/// What went wrong. The name is stable: scripts may match on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the hint in the table below says what each means")]
pub enum Code {
    AccessDenied,
    AccountSelectionRequired,
    AuthorizationFailed,
    CallbackInterrupted,
    CallbackMalformed,
    CallbackUnknown,
    ClientRefused,
    ClockSkew,
    ConsentRequired,
    EntropyUnavailable,
    GrantRefused,
    HttpStatus,
    IdTokenAccessTokenHash,
    IdTokenAlgorithm,
    IdTokenAudience,
    IdTokenAuthContext,
    IdTokenAuthTime,
    IdTokenAuthorizedParty,
    IdTokenExpired,
    IdTokenIssuedAt,
    IdTokenIssuer,
    IdTokenMalformed,
    IdTokenMissing,
    IdTokenNonce,
    IdTokenNotYetValid,
    IdTokenSignature,
    IdTokenSubject,
    IdTokenUnsupported,
    InsufficientScope,
    InteractionRequired,
    Internal,
    InvalidConfiguration,
    IssuerParameterMismatch,
    IssuerParameterMissing,
    KeyUnknown,
    KeysMalformed,
    LoginRequired,
    MetadataEndpoint,
    MetadataIssuer,
    MetadataMalformed,
    MetadataUnsupported,
    Network,
    OrganizationNone,
    OrganizationSeveral,
    OrganizationsMalformed,
    ProviderChanged,
    RateLimited,
    RedirectMismatch,
    RegistrationMalformed,
    RegistrationRefused,
    ServerError,
    SessionExpired,
    StorageFull,
    StorageUnavailable,
    TemporarilyUnavailable,
    Timeout,
    TokenMalformed,
    TokenRefused,
    TokenType,
    TooLarge,
    TransactionCorrupt,
    TransactionExpired,
    UserinfoMalformed,
    UserinfoSubject,
    UserinfoUnauthorized,
}

struct Row {
    name: &'static str,
    fault: Fault,
    retry: Retry,
    hint: &'static str,
}

impl Code {
    /// Every code, in alphabetical order.
    pub const ALL: &[Self] = &[
        Self::AccessDenied,
        Self::AccountSelectionRequired,
        Self::AuthorizationFailed,
        Self::CallbackInterrupted,
        Self::CallbackMalformed,
        Self::CallbackUnknown,
        Self::ClientRefused,
        Self::ClockSkew,
        Self::ConsentRequired,
        Self::EntropyUnavailable,
        Self::GrantRefused,
        Self::HttpStatus,
        Self::IdTokenAccessTokenHash,
        Self::IdTokenAlgorithm,
        Self::IdTokenAudience,
        Self::IdTokenAuthContext,
        Self::IdTokenAuthTime,
        Self::IdTokenAuthorizedParty,
        Self::IdTokenExpired,
        Self::IdTokenIssuedAt,
        Self::IdTokenIssuer,
        Self::IdTokenMalformed,
        Self::IdTokenMissing,
        Self::IdTokenNonce,
        Self::IdTokenNotYetValid,
        Self::IdTokenSignature,
        Self::IdTokenSubject,
        Self::IdTokenUnsupported,
        Self::InsufficientScope,
        Self::InteractionRequired,
        Self::Internal,
        Self::InvalidConfiguration,
        Self::IssuerParameterMismatch,
        Self::IssuerParameterMissing,
        Self::KeyUnknown,
        Self::KeysMalformed,
        Self::LoginRequired,
        Self::MetadataEndpoint,
        Self::MetadataIssuer,
        Self::MetadataMalformed,
        Self::MetadataUnsupported,
        Self::Network,
        Self::OrganizationNone,
        Self::OrganizationSeveral,
        Self::OrganizationsMalformed,
        Self::ProviderChanged,
        Self::RateLimited,
        Self::RedirectMismatch,
        Self::RegistrationMalformed,
        Self::RegistrationRefused,
        Self::ServerError,
        Self::SessionExpired,
        Self::StorageFull,
        Self::StorageUnavailable,
        Self::TemporarilyUnavailable,
        Self::Timeout,
        Self::TokenMalformed,
        Self::TokenRefused,
        Self::TokenType,
        Self::TooLarge,
        Self::TransactionCorrupt,
        Self::TransactionExpired,
        Self::UserinfoMalformed,
        Self::UserinfoSubject,
        Self::UserinfoUnauthorized,
    ];

    /// The stable name: lower case, words joined by `_`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Whose fault it is.
    #[must_use]
    pub fn fault(self) -> Fault {
        self.row().fault
    }

    /// What helps.
    #[must_use]
    pub fn retry(self) -> Retry {
        self.row().retry
    }

    /// What the developer should look at.
    #[must_use]
    pub fn hint(self) -> &'static str {
        self.row().hint
    }

    #[rustfmt::skip]
    fn row(self) -> Row {
        use Fault::{Caller, Network, Person, ProviderBroke, ProviderCannot};
        use Retry::{Later, Never, SignIn};
        let row = |name, fault, retry, hint| Row { name, fault, retry, hint };
        match self {
            Self::AccessDenied => row("access_denied", Person, SignIn,
                "The person, or a policy of the provider, refused the request."),
            Self::AccountSelectionRequired => row("account_selection_required", ProviderCannot, SignIn,
                "The provider wants the person to choose an account: send no prompt=none."),
            Self::AuthorizationFailed => row("authorization_failed", ProviderCannot, SignIn,
                "The provider answered the authorization request with an error of its own; see `error`."),
            Self::CallbackInterrupted => row("callback_interrupted", Network, SignIn,
                "The page was left or reloaded while the code was being exchanged. A code is never sent twice, so a new sign-in is needed."),
            Self::CallbackMalformed => row("callback_malformed", ProviderBroke, SignIn,
                "The redirect back holds a parameter twice, both `code` and `error`, neither, or characters that are not allowed (RFC 6749 3.1, 4.1.2)."),
            Self::CallbackUnknown => row("callback_unknown", Caller, SignIn,
                "No pending sign-in of this tab has this `state`: an old link, another tab or browser, or a forged callback. Nothing was sent."),
            Self::ClientRefused => row("client_refused", ProviderCannot, Never,
                "The provider does not accept this client (invalid_client, unauthorized_client). Is it registered as a public client, with `token_endpoint_auth_method` none?"),
            Self::ClockSkew => row("clock_skew", Network, Later,
                "The ID token was issued in the future: this device's clock is wrong by the given number of seconds."),
            Self::ConsentRequired => row("consent_required", ProviderCannot, SignIn,
                "The provider needs the person's consent: send no prompt=none."),
            Self::EntropyUnavailable => row("entropy_unavailable", Network, Never,
                "crypto.getRandomValues is missing, failed, or gave only zeros. There is no fallback, on purpose."),
            Self::GrantRefused => row("grant_refused", ProviderCannot, SignIn,
                "The token endpoint answered invalid_grant: the code expired, was used before, or does not belong to this verifier or redirect URI."),
            Self::HttpStatus => row("http_status", ProviderCannot, Later,
                "The endpoint answered with this status and no error that the standards define."),
            Self::IdTokenAccessTokenHash => row("id_token_at_hash", ProviderBroke, SignIn,
                "`at_hash` does not belong to the access token that came with it (Core 3.1.3.6)."),
            Self::IdTokenAlgorithm => row("id_token_algorithm", ProviderBroke, Never,
                "The ID token's `alg` is not on the allow-list. RS256 and ES256 are; `none` and HS* never will be."),
            Self::IdTokenAudience => row("id_token_audience", ProviderBroke, Never,
                "`aud` is not this client, or names others that are not trusted (Core 3.1.3.7, 3)."),
            Self::IdTokenAuthContext => row("id_token_acr", ProviderCannot, SignIn,
                "`acr` is not the one that was asked for as essential (Core 3.1.3.7, 12)."),
            Self::IdTokenAuthTime => row("id_token_auth_time", ProviderBroke, SignIn,
                "`auth_time` is missing or older than the `max_age` that was asked for (Core 3.1.3.7, 13)."),
            Self::IdTokenAuthorizedParty => row("id_token_authorized_party", ProviderBroke, Never,
                "`azp` is not this client (Core 3.1.3.7, 4 and 5)."),
            Self::IdTokenExpired => row("id_token_expired", ProviderBroke, SignIn,
                "`exp` has passed, or is missing or no date (Core 3.1.3.7, 9)."),
            Self::IdTokenIssuedAt => row("id_token_issued_at", ProviderBroke, SignIn,
                "`iat` is missing, no date, or more than a day ago (Core 3.1.3.7, 10)."),
            Self::IdTokenIssuer => row("id_token_issuer", ProviderBroke, Never,
                "`iss` is not the expected issuer, byte for byte (Core 3.1.3.7, 2)."),
            Self::IdTokenMalformed => row("id_token_malformed", ProviderBroke, SignIn,
                "The ID token is not a signed JWT in strict form: segments, base64url, JSON without duplicates, sizes (RFC 7515, RFC 7519)."),
            Self::IdTokenMissing => row("id_token_missing", ProviderBroke, SignIn,
                "`openid` was asked for, and the token response has no ID token (Core 3.1.3.3)."),
            Self::IdTokenNonce => row("id_token_nonce", ProviderBroke, SignIn,
                "`nonce` is not the one of this sign-in (Core 3.1.3.7, 11): perhaps an injected code."),
            Self::IdTokenNotYetValid => row("id_token_not_yet_valid", ProviderBroke, Later,
                "`nbf` lies in the future, or is no date (RFC 7519 4.1.5)."),
            Self::IdTokenSignature => row("id_token_signature", ProviderBroke, SignIn,
                "No key of the provider verifies the ID token's signature (Core 3.1.3.7, 6)."),
            Self::IdTokenSubject => row("id_token_subject", ProviderBroke, Never,
                "`sub` is missing, empty, no text, longer than 255 bytes (Core 2), or not the one that was hinted at (Core 3.1.2.1)."),
            Self::IdTokenUnsupported => row("id_token_unsupported", ProviderBroke, Never,
                "The ID token is of a kind that is not accepted: encrypted, another `typ`, or with `crit` (RFC 7515 4.1.11, RFC 8725 3.11)."),
            Self::InsufficientScope => row("insufficient_scope", ProviderCannot, SignIn,
                "The token lacks a scope that this endpoint needs (RFC 6750 3.1)."),
            Self::InteractionRequired => row("interaction_required", ProviderCannot, SignIn,
                "The provider needs the person's attention: send no prompt=none."),
            Self::Internal => row("internal", Caller, SignIn,
                "A fault of polar-signin itself. Please report it."),
            Self::InvalidConfiguration => row("invalid_configuration", Caller, Never,
                "The named setting is missing or not allowed."),
            Self::IssuerParameterMismatch => row("issuer_parameter_mismatch", ProviderBroke, SignIn,
                "The redirect back names another issuer than the one that was asked (RFC 9207 2.4): perhaps a mix-up attack."),
            Self::IssuerParameterMissing => row("issuer_parameter_missing", ProviderBroke, SignIn,
                "The provider announces `iss` in its answers (RFC 9207), and this one has none."),
            Self::KeyUnknown => row("key_unknown", ProviderBroke, Later,
                "No key of the provider fits the ID token's `alg` and `kid`, also after the keys were fetched afresh."),
            Self::KeysMalformed => row("keys_malformed", ProviderBroke, Later,
                "The document at `jwks_uri` is no JWK set (RFC 7517 5), or has more than 100 keys."),
            Self::LoginRequired => row("login_required", ProviderCannot, SignIn,
                "The person is not signed in at the provider, and prompt=none was sent."),
            Self::MetadataEndpoint => row("metadata_endpoint", ProviderBroke, Never,
                "A required endpoint of the metadata is missing or no https URL without fragment and credentials (RFC 8414 2)."),
            Self::MetadataIssuer => row("metadata_issuer", ProviderBroke, Never,
                "`issuer` in the metadata is not the expected one, byte for byte (Discovery 4.3)."),
            Self::MetadataMalformed => row("metadata_malformed", ProviderBroke, Later,
                "The metadata is no strict JSON object, or a member has the wrong type."),
            Self::MetadataUnsupported => row("metadata_unsupported", ProviderCannot, Never,
                "The provider announces no S256, no `code` response, or no signature algorithm that is accepted."),
            Self::Network => row("network", Network, Later,
                "The browser gives no reason: offline, DNS, TLS, a blocker, a missing CORS header, or `connect-src` in the page's Content-Security-Policy."),
            Self::OrganizationNone => row("organization_none", ProviderCannot, SignIn,
                "One organization was asked for, and this token reaches none."),
            Self::OrganizationSeveral => row("organization_several", ProviderBroke, SignIn,
                "One organization was asked for, and this token reaches several: none of them is taken for the chosen one."),
            Self::OrganizationsMalformed => row("organizations_malformed", ProviderBroke, Later,
                "The list of organizations does not have the form that is documented."),
            Self::ProviderChanged => row("provider_changed", Caller, SignIn,
                "The sign-in was begun with another provider or client than is configured now."),
            Self::RateLimited => row("rate_limited", ProviderCannot, Later,
                "Too many requests (429)."),
            Self::RedirectMismatch => row("redirect_mismatch", Caller, SignIn,
                "The answer arrived at another address than the redirect URI of its sign-in."),
            Self::RegistrationMalformed => row("registration_malformed", ProviderBroke, Later,
                "The answer to the registration has no `client_id`, or is no JSON object (RFC 7591 3.2.1)."),
            Self::RegistrationRefused => row("registration_refused", ProviderCannot, Never,
                "The provider refused to create the client; see what it said."),
            Self::ServerError => row("server_error", ProviderCannot, Later,
                "The provider had an internal error."),
            Self::SessionExpired => row("session_expired", ProviderCannot, SignIn,
                "The access token is no longer accepted, and there is no way to renew it."),
            Self::StorageFull => row("storage_full", Network, Later,
                "Session storage is full: nothing could be kept."),
            Self::StorageUnavailable => row("storage_unavailable", Network, Never,
                "This browser does not let the page use session storage, and a sign-in by redirect needs it."),
            Self::TemporarilyUnavailable => row("temporarily_unavailable", ProviderCannot, Later,
                "The provider is overloaded or under maintenance."),
            Self::Timeout => row("timeout", Network, Later,
                "No complete answer within 15 seconds."),
            Self::TokenMalformed => row("token_malformed", ProviderBroke, SignIn,
                "The token response is no strict JSON object, or the named member has the wrong form (RFC 6749 5.1)."),
            Self::TokenRefused => row("token_refused", ProviderCannot, SignIn,
                "The token endpoint answered with an OAuth error; see `error` (RFC 6749 5.2)."),
            Self::TokenType => row("token_type", ProviderBroke, Never,
                "`token_type` is missing or not Bearer (RFC 6749 7.1)."),
            Self::TooLarge => row("too_large", ProviderBroke, Later,
                "The answer is larger than 256 KiB."),
            Self::TransactionCorrupt => row("transaction_corrupt", Caller, SignIn,
                "What was kept of this sign-in was changed or damaged; nothing was sent."),
            Self::TransactionExpired => row("transaction_expired", Person, SignIn,
                "The sign-in took longer than an hour."),
            Self::UserinfoMalformed => row("userinfo_malformed", ProviderBroke, Later,
                "Userinfo is no strict JSON object with a `sub` (Core 5.3.2)."),
            Self::UserinfoSubject => row("userinfo_subject", ProviderBroke, SignIn,
                "Userinfo is about somebody else than the ID token (Core 5.3.2): it was discarded."),
            Self::UserinfoUnauthorized => row("userinfo_unauthorized", ProviderCannot, SignIn,
                "The userinfo endpoint does not accept the access token."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn names_are_unique_and_the_table_is_sorted() {
        let names: std::collections::BTreeSet<_> = Code::ALL.iter().map(|c| c.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        let variants: Vec<_> = Code::ALL.iter().map(|c| format!("{c:?}")).collect();
        let mut sorted = variants.clone();
        sorted.sort();
        assert_eq!(variants, sorted);
    }
}
