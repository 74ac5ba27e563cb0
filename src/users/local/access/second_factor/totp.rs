//! Codes by the clock (RFC 6238): six digits, thirty seconds, HMAC-SHA-1, the one kind that every
//! authenticator app knows.

use jiff::Timestamp;
use totp_rs::{Builder, TotpError};

use crate::kit::ids::Entropy;

/// Who the codes are for, as authenticator apps show it.
const ISSUER: &str = "Voicera";

/// 160 bits, as RFC 4226 §4 recommends.
pub(super) fn fresh_secret(entropy: &Entropy) -> [u8; 20] {
    entropy.bytes()
}

/// A secret and the codes that it makes.
pub(super) struct Totp(totp_rs::Totp);

impl Totp {
    /// The codes of a secret; `account` is what authenticator apps call it.
    pub(super) fn new(secret: &[u8], account: &str) -> Result<Self, TotpError> {
        // A colon would end the issuer in the label of the URI.
        let account = account.replace(':', " ");
        let builder = Builder::new().with_secret(secret).with_issuer(Some(ISSUER)).with_account_name(account);
        // One step of skew (RFC 6238 §5.2): clocks differ, and typing takes a while.
        builder.with_skew(1).build().map(Self)
    }

    /// The secret in base32, for who types it.
    pub(super) fn base32(&self) -> String {
        self.0.secret().to_base32()
    }

    /// The address that authenticator apps read from a QR code.
    pub(super) fn uri(&self) -> Result<String, TotpError> {
        self.0.to_url()
    }

    /// The time step whose code this is, if it is one of now. Compared in constant time.
    pub(super) fn step_of(&self, code: &str, now: Timestamp) -> Option<u64> {
        // Apps show codes in groups, and people type them so.
        let digits: String = code.chars().filter(|char| !char.is_whitespace()).take(7).collect();
        self.0.check(&digits, u64::try_from(now.as_second()).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totp() -> Totp {
        Totp::new(b"12345678901234567890", "ada@example.org").unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B, the last six of its eight digits.
        for (second, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let step = u64::try_from(second / 30).unwrap();
            assert_eq!(totp().step_of(code, at(second)), Some(step), "{second}");
        }
    }

    #[test]
    fn a_code_is_good_one_step_early_and_one_step_late() {
        let step = |second| totp().step_of("005924", at(second));
        let own = 1_234_567_890 / 30 * 30;
        assert_eq!(step(own - 31), None);
        for second in [own - 30, own, own + 29, own + 59] {
            assert_eq!(step(second), Some(1_234_567_890 / 30));
        }
        assert_eq!(step(own + 60), None);
    }

    #[test]
    fn a_code_may_be_typed_in_groups_and_nothing_else() {
        let now = at(1_234_567_890);
        assert!(totp().step_of(" 005 924 ", now).is_some());
        for code in ["", "5924", "0059240", "00592a", "+05924", "-05924", "００５９２４", "005924005924"]
        {
            assert_eq!(totp().step_of(code, now), None, "{code}");
        }
        assert_eq!(totp().step_of(&"0 ".repeat(1_000_000), now), None);
        assert_eq!(totp().step_of("005924", Timestamp::MIN), None);
        assert_eq!(totp().step_of("005924", Timestamp::MAX), None);
    }

    #[test]
    fn an_authenticator_app_reads_the_address() {
        let uri = totp().uri().unwrap();
        assert!(uri.starts_with("otpauth://totp/Voicera:ada%40example.org?"), "{uri}");
        assert!(uri.contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), "{uri}");
        assert!(uri.contains("issuer=Voicera"), "{uri}");
        assert_eq!(totp().base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert!(Totp::new(&[7; 20], "a:b/c?d&e=f#g%h\u{1f34b}").unwrap().uri().is_ok());
    }
}
