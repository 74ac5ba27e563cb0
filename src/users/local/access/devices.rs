//! Devices that one has got in with, known again by a token that they keep.
//!
//! The token lets nobody in. It only has tries with it counted apart from everybody else's, so that who
//! guesses at an account cannot make its owner wait, not even from the next chair (OWASP, "Slow Down
//! Online Guessing Attacks with Device Cookies"). Nothing is kept of it here.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use uuid::Uuid;

use crate::kit::clock::SharedClock;
use crate::kit::ids::UserId;
use crate::users::local::seal::{Purpose, Seal};

/// What a device token begins with.
const PREFIX: &str = "vd_";
/// How long a device is known after it was last used to get in.
const KNOWN_FOR: SignedDuration = SignedDuration::from_hours(180 * 24);
/// The account, the device, the second since 1970, and the seal over all three.
const LENGTH: usize = 16 + 16 + 8 + 32;

/// A device that somebody has got in with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Device {
    /// Whose account it got into.
    pub user: UserId,
    /// Which one of theirs: the session that it got, or whatever else is not like the others.
    pub id: Uuid,
}

/// Makes tokens for devices and reads them.
#[derive(Debug, Clone)]
pub struct Devices {
    pub(in crate::users) seal: Arc<Seal>,
    pub(in crate::users) clock: SharedClock,
}

impl Devices {
    /// A token by which `device` is known from now on.
    pub fn token(&self, device: Device) -> SecretString {
        let since = self.clock.now().as_second();
        let bytes = [
            device.user.uuid().as_bytes().as_slice(),
            device.id.as_bytes(),
            &since.to_be_bytes(),
            &self.mark(device, since),
        ]
        .concat();
        format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes)).into()
    }

    /// The device that keeps this token; `None` where it was made elsewhere or long ago. Asks no store.
    pub fn read(&self, token: &str) -> Option<Device> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token.strip_prefix(PREFIX)?).ok()?;
        let bytes: [u8; LENGTH] = bytes.try_into().ok()?;
        let (user, rest) = bytes.split_first_chunk::<16>()?;
        let (id, rest) = rest.split_first_chunk::<16>()?;
        let (since, mark) = rest.split_first_chunk::<8>()?;
        let device = Device { user: Uuid::from_bytes(*user).into(), id: Uuid::from_bytes(*id) };
        let since = i64::from_be_bytes(*since);
        verify_slices_are_equal(&self.mark(device, since), mark).ok()?;
        let until = Timestamp::from_second(since).ok()?.saturating_add(KNOWN_FOR).ok()?;
        (self.clock.now() < until).then_some(device)
    }

    fn mark(&self, device: Device, since: i64) -> [u8; 32] {
        let user = device.user.uuid();
        self.seal.derive(Purpose::Device, &[user.as_bytes(), device.id.as_bytes(), &since.to_be_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::clock::ManualClock;
    use crate::kit::ids::Entropy;
    use proptest::prelude::*;
    use secrecy::ExposeSecret as _;

    fn devices(secret: u8) -> (Devices, ManualClock) {
        let clock = ManualClock::at("2026-11-23T08:00:00Z".parse().unwrap());
        let seal = Arc::new(Seal::new(vec![secret; 32], Entropy::seeded(1)));
        (Devices { seal, clock: Arc::new(clock.clone()) }, clock)
    }

    fn device() -> Device {
        Device { user: Uuid::from_u128(1).into(), id: Uuid::from_u128(2) }
    }

    #[test]
    fn a_device_is_known_again_for_half_a_year_where_it_got_in() {
        let (here, clock) = devices(1);
        let token = here.token(device());
        assert_eq!(here.read(token.expose_secret()), Some(device()));
        assert_eq!(devices(2).0.read(token.expose_secret()), None, "another installation");
        clock.advance(SignedDuration::from_hours(180 * 24 - 1));
        assert_eq!(here.read(token.expose_secret()), Some(device()));
        clock.advance(SignedDuration::from_hours(1));
        assert_eq!(here.read(token.expose_secret()), None);
    }

    #[test]
    fn a_token_that_was_tampered_with_is_nobodys() {
        let (here, _) = devices(1);
        let token = here.token(device());
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(&token.expose_secret()[PREFIX.len()..]).unwrap();
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            let text = format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(&other));
            assert_eq!(here.read(&text), None, "byte {at}");
        }
        for text in ["", PREFIX, &token.expose_secret()[PREFIX.len()..]] {
            assert_eq!(here.read(text), None);
        }
    }

    proptest! {
        #[test]
        fn no_text_is_a_token(text in "\\PC{0,120}", bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let (here, _) = devices(1);
            prop_assert_eq!(here.read(&text), None);
            let text = format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(&bytes));
            prop_assert_eq!(here.read(&text), None);
        }
    }
}
