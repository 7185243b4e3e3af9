//! Tokens of the node's administrator: JSON Web Tokens (RFC 7519) with HMAC-SHA-256 (HS256) over a secret of the node's home.
//!
//! Written here, over `hmac`, `sha2` and `base64`: the well-kept libraries of the field bring RSA and elliptic curves with
//! them, choose the algorithm from the token unless told otherwise, and read the system's clock. This knows one algorithm, so
//! a token cannot choose a weaker one, and the time comes in.
//!
//! The signature is checked first, in constant time, and nothing of a token is parsed before. A token says until when it is
//! valid (`exp`), and no longer than [`TOKEN_TIME_MAX`] from now, so that one that leaks is soon worth nothing. Until then
//! whoever has it may use it: on the way to another machine the API needs TLS in front of it.

use crate::types::Timestamp;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::{fmt, time::Duration};

/// The longest time for which a token is valid.
pub const TOKEN_TIME_MAX: Duration = Duration::from_secs(3600);
/// Bytes of a token, at most: ours have some 130.
const TOKEN_BYTES_MAX: usize = 1024;

/// The secret that the node's administrator signs with. `Debug` does not show it.
#[derive(Clone)]
pub struct AdminKey(pub [u8; 32]);

impl fmt::Debug for AdminKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminKey")
    }
}

/// A token that gives no access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// There is none, in the form that it has to have.
    #[error("send 'Authorization: Bearer TOKEN' with a token that admin.key signs")]
    Missing,
    /// It was not signed with this key.
    #[error("the token is not signed with this node's admin.key")]
    Signature,
    /// It has another form than this API's tokens.
    #[error("the token is no HS256 token with a number in exp")]
    Form,
    /// Its time is over.
    #[error("the token is valid no more; make a new one")]
    Expired,
    /// It would be valid for too long.
    #[error("the token is valid for more than {} s from now; make one for less", TOKEN_TIME_MAX.as_secs())]
    TooLong,
}

#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    typ: Option<String>,
    /// What a reader must understand. This one understands nothing of the kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crit: Option<serde_json::Value>,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    /// Seconds since 1970.
    exp: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<u64>,
}

impl AdminKey {
    /// A token that is valid for `time`, rounded up to a second.
    pub fn token(&self, now: Timestamp, time: Duration) -> String {
        let header = Header { alg: "HS256".into(), typ: Some("JWT".into()), crit: None };
        let exp = now.0.saturating_add(time.as_millis() as u64).div_ceil(1000);
        let signed = format!("{}.{}", encoded(&header), encoded(&Claims { exp, nbf: None }));
        let signature = self.mac(&signed).finalize().into_bytes();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Whether the value of an `Authorization` header gives access at `now`.
    ///
    /// # Errors
    /// [`TokenError`] when not.
    pub fn check(&self, authorization: &str, now: Timestamp) -> Result<(), TokenError> {
        let (scheme, token) = authorization.split_once(' ').ok_or(TokenError::Missing)?;
        if !scheme.eq_ignore_ascii_case("bearer") || token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Missing);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Form)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenError::Form)?;
        self.mac(signed).verify_slice(&signature).map_err(|_| TokenError::Signature)?;
        let (header, claims) = signed.split_once('.').ok_or(TokenError::Form)?;
        let header: Header = decoded(header).ok_or(TokenError::Form)?;
        if header.alg != "HS256" || header.crit.is_some() {
            return Err(TokenError::Form);
        }
        let Claims { exp, nbf } = decoded(claims).ok_or(TokenError::Form)?;
        let now_s = now.0 / 1000;
        if exp <= now_s || nbf.is_some_and(|nbf| nbf > now_s) {
            return Err(TokenError::Expired);
        }
        // One that was made for the longest time, a moment ago and rounded up, is still right.
        if exp - now_s > TOKEN_TIME_MAX.as_secs() + 1 {
            return Err(TokenError::TooLong);
        }
        Ok(())
    }

    fn mac(&self, signed: &str) -> Hmac<Sha256> {
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0);
        mac.expect("HMAC takes keys of any length").chain_update(signed)
    }
}

fn encoded(part: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(part).expect("it has a JSON form"))
}

fn decoded<T: for<'de> Deserialize<'de>>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_500);

    fn key() -> AdminKey {
        AdminKey([7; 32])
    }

    /// A token with this header and these claims, rightly signed.
    fn signed(header: &str, claims: &str) -> String {
        let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = key().mac(&text).finalize().into_bytes();
        format!("Bearer {text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    #[test]
    fn the_example_of_the_standard_has_its_signature() {
        // RFC 7515, A.1.
        let secret = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        let text = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
            eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let secret = URL_SAFE_NO_PAD.decode(secret).expect("it is base64");
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&secret).expect("any length").chain_update(text);
        let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        assert_eq!(signature, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    }

    #[test]
    fn a_token_is_valid_for_its_time() {
        let token = format!("Bearer {}", key().token(NOW, Duration::from_secs(60)));
        assert_eq!(key().check(&token, NOW), Ok(()));
        assert_eq!(key().check(&token, Timestamp(NOW.0 + 59_999)), Ok(()));
        assert_eq!(key().check(&token, Timestamp(NOW.0 + 61_000)), Err(TokenError::Expired));
        let longest = format!("Bearer {}", key().token(NOW, TOKEN_TIME_MAX));
        assert_eq!(key().check(&longest, NOW), Ok(()));
        assert_eq!(key().check(&longest, Timestamp(NOW.0 - 2_000)), Err(TokenError::TooLong));
        assert_eq!(AdminKey([8; 32]).check(&token, NOW), Err(TokenError::Signature));
    }

    #[test]
    fn every_altered_character_is_noticed() {
        let token = key().token(NOW, Duration::from_secs(60));
        for at in 0..token.len() {
            let mut altered = token.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).expect("it is ASCII");
            assert!(key().check(&format!("Bearer {altered}"), NOW).is_err(), "character {at}");
        }
    }

    #[test]
    fn other_forms_give_no_access() {
        let exp = NOW.0 / 1000 + 60;
        let right = (r#"{"alg":"HS256"}"#, format!(r#"{{"exp":{exp},"sub":"x"}}"#));
        assert_eq!(key().check(&signed(right.0, &right.1), NOW), Ok(()));
        let cases = [
            (signed(r#"{"alg":"none"}"#, &right.1), TokenError::Form),
            (signed(r#"{"alg":"HS512"}"#, &right.1), TokenError::Form),
            (signed(r#"{"alg":"HS256","crit":["b64"]}"#, &right.1), TokenError::Form),
            (signed("HS256", &right.1), TokenError::Form),
            (signed(right.0, "{}"), TokenError::Form),
            (signed(right.0, &format!(r#"{{"exp":"{exp}"}}"#)), TokenError::Form),
            (signed(right.0, &format!(r#"{{"exp":{exp},"nbf":{exp}}}"#)), TokenError::Expired),
            (signed(right.0, r#"{"exp":0}"#), TokenError::Expired),
            (signed(right.0, r#"{"exp":18446744073709551615}"#), TokenError::TooLong),
            ("Bearer".into(), TokenError::Missing),
            ("Basic YWRtaW46YWRtaW4=".into(), TokenError::Missing),
            ("Bearer ".into(), TokenError::Form),
            ("Bearer a.b.".into(), TokenError::Signature),
            (format!("Bearer {}", "a".repeat(TOKEN_BYTES_MAX + 1)), TokenError::Missing),
        ];
        for (authorization, error) in cases {
            assert_eq!(key().check(&authorization, NOW), Err(error), "{authorization}");
        }
    }
}
