//! What every [`UserStore`](super::UserStore) has to do: the same cases, by the same names.
//!
//! An implementation brings a [`Place`] and runs `conformance!(expression that makes one)` in its
//! tests. Each case has a store of its own.

mod accounts;
mod administrators;
mod audit;
mod changes;
mod erase;
mod keys;
mod listing;
mod newcomers;
mod one_time;
mod passkeys;
mod portable;
mod refresh;
mod roles;
mod second_factor;
mod sessions;
mod stage;
mod trust;

pub(crate) use accounts::*;
pub(crate) use administrators::*;
pub(crate) use audit::*;
pub(crate) use changes::*;
pub(crate) use erase::*;
pub(crate) use keys::*;
pub(crate) use listing::*;
pub(crate) use newcomers::*;
pub(crate) use one_time::*;
pub(crate) use passkeys::*;
pub(crate) use portable::*;
pub(crate) use refresh::*;
pub(crate) use roles::*;
pub(crate) use second_factor::*;
pub(crate) use sessions::*;
pub(crate) use stage::{Place, World, hexadecimal};
pub(crate) use trust::*;

macro_rules! each_case {
    ($place:expr; $($case:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let world = crate::users::store::conformance::World::at($place).await;
                crate::users::store::conformance::$case(&world).await;
                world.close().await;
            }
        )*
    };
}

macro_rules! conformance {
    ($place:expr) => {
        $crate::users::store::conformance::each_case! { $place;
            an_account_reads_back_as_it_was_added
            an_address_is_taken_in_every_spelling
            of_many_registrations_of_one_address_at_once_one_is_made
            accounts_without_an_address_stand_beside_each_other
            an_id_is_given_once
            what_is_out_of_reach_is_not_there
            when_an_account_was_used_only_grows
            a_description_changes_what_it_names_alone
            a_change_to_another_version_is_stale_and_leaves_nothing
            of_many_changes_to_one_version_one_is_done
            a_role_outdates_what_was_made_out_before
            a_role_that_there_is_not_is_not_given
            a_move_to_another_institution_outdates_and_staying_does_not
            an_account_that_is_put_aside_has_no_sessions
            a_password_ends_every_session_but_the_one_it_was_changed_in
            a_rehash_is_seen_by_nobody
            a_verified_address_makes_a_pending_account_active_and_no_other
            a_pending_account_is_taken_over_whole_or_not_at_all
            who_never_verified_is_found_longest_ago_first
            who_never_verified_is_removed_as_judged_and_leaves_the_address
            the_last_administrator_stays
            an_administrator_who_cannot_get_in_is_none
            of_administrators_who_remove_each_other_at_once_one_is_left
            pages_hold_every_account_once
            a_search_finds_a_part_of_name_or_address_whatever_its_case
            what_a_search_is_for_is_no_pattern
            filters_of_accounts_hold_together
            accounts_come_in_the_order_that_is_asked_for
            lists_and_figures_end_where_the_reach_does
            a_session_reads_back_as_it_was_opened
            who_has_changed_since_being_checked_gets_no_session
            sessions_are_listed_latest_first_while_they_last
            sessions_end_one_by_one_all_but_one_or_all
            another_persons_session_is_not_ended
            networks_of_earlier_log_ins_are_known
            what_has_expired_is_pruned_and_networks_are_kept
            a_refresh_keeps_the_session_going_but_not_for_ever
            of_two_hundred_refreshes_at_once_all_get_the_one_successor
            a_lost_reply_is_forgiven_for_a_while
            a_used_token_that_comes_back_ends_its_session_alone
            a_token_of_a_session_that_is_over_is_unknown
            a_refresh_token_tells_its_session_whatever_became_of_it
            an_account_that_is_put_aside_does_not_refresh
            a_key_tells_whose_it_is_while_it_is_good
            a_key_reads_back_and_keys_come_latest_first
            a_key_of_an_account_that_is_put_aside_is_not_good
            a_key_is_revoked_once_and_by_its_owner_alone
            when_a_key_was_used_only_grows
            one_key_is_made_of_one_id_though_asked_for_at_once
            there_are_no_more_good_keys_than_one_may_have
            who_is_not_there_gets_no_key_and_no_passkey
            keys_that_have_ended_are_forgotten_in_time
            the_first_key_is_made_once_and_with_its_account
            roles_read_back_by_name
            built_in_roles_stay_what_they_are
            a_role_that_somebody_has_is_not_removed
            a_role_is_not_given_while_it_is_removed
            a_token_is_redeemed_once_for_its_purpose_before_its_end
            of_many_who_redeem_one_token_at_once_one_has_it
            a_newer_token_takes_the_place_of_earlier_ones_of_its_kind_alone
            tries_at_a_token_are_counted_even_at_once
            a_second_factor_is_set_up_once
            a_code_is_good_for_one_time_step_and_no_earlier_one
            of_many_uses_of_one_code_at_once_one_is_good
            a_recovery_code_is_used_up_even_at_once
            new_recovery_codes_take_the_place_of_the_old
            without_a_second_factor_there_are_no_recovery_codes
            what_was_lost_is_taken_off_whole_and_ends_what_was_begun_with_it
            the_last_administrator_is_left_a_way_in
            a_passkey_reads_back_and_is_known_once
            there_are_no_more_passkeys_than_one_may_have
            the_counter_of_a_passkey_only_grows
            the_last_way_in_is_not_removed
            of_two_last_passkeys_removed_at_once_one_stays
            the_first_signing_key_is_made_once
            a_new_signing_key_ends_the_others
            what_is_revoked_is_told_once_and_in_order
            no_revocation_is_skipped_between_polls
            a_position_is_not_forgotten_with_what_has_expired
            every_change_is_in_the_trail_with_all_that_it_says
            what_was_refused_leaves_no_trace_in_the_trail
            entries_are_found_by_who_whom_what_and_when
            pages_of_the_trail_hold_every_entry_once
            the_trail_ends_where_the_reach_does
            of_who_is_forgotten_nothing_is_kept_but_the_trail
            who_is_forgotten_is_not_there_any_more
            an_erased_address_can_be_used_again
            an_erasure_is_due_until_it_is_settled
            an_erasure_out_of_reach_or_of_another_version_is_refused
            all_of_it_is_carried_to_another_store_and_nothing_twice
            a_copy_that_was_cut_short_goes_on_where_it_was
            what_was_carried_works_as_it_did
            what_ended_there_since_does_not_come_back
            an_address_that_another_account_has_there_is_refused_by_name
            a_role_that_means_something_else_there_is_refused_by_name
        }
    };
}

pub(crate) use {conformance, each_case};
