//! French.

use super::{Row, check, check_at};

const DATES: &[Row] = &[
    ("qu'est-ce que j'ai aujourd'hui", &["date:aujourd'hui=2026-11-23"]),
    ("pour demain ?", &["date:demain=2026-11-24"]),
    ("c'était hier", &["date:hier=2026-11-22"]),
    ("après-demain", &["date:après-demain=2026-11-25"]),
    ("avant-hier", &["date:avant-hier=2026-11-21"]),
    ("que faire ce soir", &["date:ce soir=2026-11-23"]),
    ("vendredi", &["date:vendredi=2026-11-27"]),
    ("lundi", &["date:lundi=2026-11-30"]),
    ("ce lundi", &["date:ce lundi=2026-11-23"]),
    ("vendredi prochain", &["date:vendredi prochain=2026-11-27"]),
    ("vendredi dernier", &["date:vendredi dernier=2026-11-20"]),
    ("mercredi de la semaine prochaine", &["date:mercredi de la semaine prochaine=2026-12-02"]),
    ("vendredi en huit", &["date:vendredi en huit=2026-12-04"]),
    ("dans deux semaines", &["date:dans deux semaines=2026-12-07"]),
    ("dans un mois", &["date:dans un mois=2026-12-23"]),
    ("il y a deux jours", &["date:il y a deux jours=2026-11-21"]),
    ("il y a un an", &["date:il y a un an=2025-11-23"]),
    ("le 14 mars 2027", &["date:le 14 mars 2027=2027-03-14"]),
    ("le 1er mai", &["date:le 1er mai=2027-05-01"]),
    ("le premier avril", &["date:le premier avril=2027-04-01"]),
    ("le vingt et un juin", &["date:le vingt et un juin=2027-06-21"]),
    ("29 février", &["date:29 février=2028-02-29"]),
    ("lundi 30 novembre", &["date:lundi 30 novembre=2026-11-30"]),
    ("14/03/2027", &["date:14/03/2027=2027-03-14"]),
    ("l'examen du 3/4", &["date:3/4=2027-04-03"]),
    ("2027-12-31", &["date:2027-12-31=2027-12-31"]),
    ("le 3", &["date:le 3=2026-12-03"]),
    ("vendredi 27", &["date:vendredi 27=2026-11-27"]),
    ("le 31", &["date:le 31=2026-12-31"]),
    ("à la fin du mois", &["date:à la fin du mois=2026-11-30"]),
    ("à Noël", &["date:à Noël=2026-12-25"]),
    ("le 14 fevrier", &["date:le 14 fevrier=2027-02-14"]),
    ("le 15 août", &["date:le 15 août=2027-08-15"]),
];

const STRETCHES: &[Row] = &[
    ("cette semaine", &["interval:cette semaine=2026-11-23..2026-11-29"]),
    ("la semaine prochaine", &["interval:la semaine prochaine=2026-11-30..2026-12-06"]),
    ("le mois dernier", &["interval:le mois dernier=2026-10-01..2026-10-31"]),
    ("l'année prochaine", &["interval:l'année prochaine=2027-01-01..2027-12-31"]),
    ("ce week-end", &["interval:ce week-end=2026-11-28..2026-11-29"]),
    ("en janvier", &["interval:en janvier=2027-01-01..2027-01-31"]),
    ("février 2028", &["interval:février 2028=2028-02-01..2028-02-29"]),
    ("les trois prochains jours", &["interval:les trois prochains jours=2026-11-23..2026-11-26"]),
    ("demain matin", &["interval:demain matin=2026-11-24T06:00:00+01:00..2026-11-24T12:00:00+01:00"]),
    ("vendredi soir", &["interval:vendredi soir=2026-11-27T18:00:00+01:00..2026-11-28T00:00:00+01:00"]),
    ("de 15h à 17h", &["interval:de 15h à 17h=15:00:00..17:00:00"]),
    ("entre 9 heures et 11 heures", &["interval:entre 9 heures et 11 heures=09:00:00..11:00:00"]),
    ("entre lundi et vendredi", &["interval:entre lundi et vendredi=2026-11-30..2026-12-04"]),
    ("de demain à vendredi", &["interval:de demain à vendredi=2026-11-24..2026-11-27"]),
    (
        "demain de 14h à 16h",
        &["interval:demain de 14h à 16h=2026-11-24T14:00:00+01:00..2026-11-24T16:00:00+01:00"],
    ),
    ("du 3 au 5 mars", &["interval:du 3 au 5 mars=2027-03-03..2027-03-05"]),
];

const TIMES: &[Row] = &[
    ("à 15 heures", &["time:à 15 heures=15:00:00"]),
    ("à 6 heures", &["time:à 6 heures=06:00:00"]),
    ("à 15h30", &["time:à 15h30=15:30:00"]),
    ("15h", &["time:15h=15:00:00"]),
    ("8h45", &["time:8h45=08:45:00"]),
    ("à 15:30", &["time:à 15:30=15:30:00"]),
    ("à midi", &["time:à midi=12:00:00"]),
    ("à minuit", &["time:à minuit=00:00:00"]),
    ("midi et demi", &["time:midi et demi=12:30:00"]),
    ("à trois heures et demie", &["time:à trois heures et demie=15:30:00"]),
    ("huit heures moins le quart", &["time:huit heures moins le quart=07:45:00"]),
    ("à neuf heures et quart", &["time:à neuf heures et quart=09:15:00"]),
    ("huit heures moins vingt", &["time:huit heures moins vingt=07:40:00"]),
    ("à huit heures vingt", &["time:à huit heures vingt=08:20:00"]),
    ("à huit heures du soir", &["time:à huit heures du soir=20:00:00"]),
    ("six heures du matin", &["time:six heures du matin=06:00:00"]),
    ("à 5 heures de l'après-midi", &["time:à 5 heures de l'après-midi=17:00:00"]),
    ("à vingt heures trente", &["time:à vingt heures trente=20:30:00"]),
    ("pendant 5 heures", &["duration:5 heures=PT5H"]),
];

const MOMENTS: &[Row] = &[
    ("demain à 15h", &["datetime:demain à 15h=2026-11-24T15:00:00+01:00"]),
    ("à 9h vendredi", &["datetime:à 9h vendredi=2026-11-27T09:00:00+01:00"]),
    ("ce soir à 8 heures", &["datetime:ce soir à 8 heures=2026-11-23T20:00:00+01:00"]),
    ("demain matin à 9 heures", &["datetime:demain matin à 9 heures=2026-11-24T09:00:00+01:00"]),
    ("dans 10 minutes", &["datetime:dans 10 minutes=2026-11-23T10:10:00+01:00"]),
    ("il y a deux heures", &["datetime:il y a deux heures=2026-11-23T08:00:00+01:00"]),
    ("dans une demi-heure", &["datetime:dans une demi-heure=2026-11-23T10:30:00+01:00"]),
    ("dans un quart d'heure", &["datetime:dans un quart d'heure=2026-11-23T10:15:00+01:00"]),
    ("le 14 mars 2027 à 15h30", &["datetime:le 14 mars 2027 à 15h30=2027-03-14T15:30:00+01:00"]),
];

const RECURRENCES: &[Row] = &[
    ("tous les lundis à 9h", &["recurrence:tous les lundis à 9h=FREQ=WEEKLY;BYDAY=MO;BYHOUR=9;BYMINUTE=0"]),
    ("le premier lundi du mois", &["recurrence:le premier lundi du mois=FREQ=MONTHLY;BYDAY=1MO"]),
    ("chaque lundi", &["recurrence:chaque lundi=FREQ=WEEKLY;BYDAY=MO"]),
    ("tous les jours à midi", &["recurrence:tous les jours à midi=FREQ=DAILY;BYHOUR=12;BYMINUTE=0"]),
    ("toutes les deux semaines", &["recurrence:toutes les deux semaines=FREQ=WEEKLY;INTERVAL=2"]),
    ("tous les soirs à 8 heures", &["recurrence:tous les soirs à 8 heures=FREQ=DAILY;BYHOUR=20;BYMINUTE=0"]),
    ("un jour sur deux", &["recurrence:un jour sur deux=FREQ=DAILY;INTERVAL=2"]),
    ("le 1er de chaque mois", &["recurrence:le 1er de chaque mois=FREQ=MONTHLY;BYMONTHDAY=1"]),
];

const NOTHING: &[Row] = &[
    ("quoi de neuf", &[]),
    ("un téléphone neuf", &[]),
    ("cet été", &[]),
    ("il a été là", &[]),
    ("une maison et un jardin", &[]),
    ("appelle l'école", &[]),
    ("la planète Mars", &[]),
    ("le premier ministre", &[]),
    ("plus ou moins", &[]),
    ("à bientôt", &[]),
    ("2027-02-30", &[]),
    ("de temps en temps", &[]),
    ("le bon moment", &[]),
    ("bonsoir", &[]),
];

#[test]
fn dates_are_full_dates() {
    check("fr", DATES);
}

#[test]
fn stretches_have_both_ends() {
    check("fr", STRETCHES);
}

#[test]
fn times_and_moments() {
    check("fr", TIMES);
    check("fr", MOMENTS);
}

#[test]
fn recurrences_are_rules() {
    check("fr", RECURRENCES);
}

#[test]
fn what_means_something_else_is_left_alone() {
    check("fr", NOTHING);
}

#[test]
fn clocks_change_and_years_leap() {
    check_at(
        "fr",
        "2027-03-27T12:00:00+01:00[Europe/Paris]",
        &[
            ("demain à 2h30", &["datetime:demain à 2h30=2027-03-28T03:30:00+02:00"]),
            ("dans 24 heures", &["datetime:dans 24 heures=2027-03-28T13:00:00+02:00"]),
        ],
    );
    check_at(
        "fr",
        "2028-01-31T12:00:00+01:00[Europe/Paris]",
        &[
            ("dans un mois", &["date:dans un mois=2028-02-29"]),
            ("il y a un mois", &["date:il y a un mois=2027-12-31"]),
        ],
    );
}

#[test]
fn amounts_are_read() {
    check(
        "fr",
        &[
            ("j'ai 3 pommes", &["number:3=3"]),
            ("page vingt-neuf", &["number:vingt-neuf=29"]),
            ("neuf chats", &["number:neuf=9"]),
            ("vingt et un élèves", &["number:vingt et un=21"]),
            ("quatre-vingt-dix-sept pages", &["number:quatre-vingt-dix-sept=97"]),
            ("soixante et onze points", &["number:soixante et onze=71"]),
            ("deux cent quarante-cinq pages", &["number:deux cent quarante-cinq=245"]),
            ("deux mille trois cents pas", &["number:deux mille trois cents=2300"]),
            ("un million de gens", &["number:un million=1000000"]),
            ("1 234,5 points", &["number:1 234,5=1234.5"]),
            ("trois virgule cinq", &["number:trois virgule cinq=3.5"]),
            ("le 2e chapitre", &["ordinal:2e=2"]),
            ("la troisième question", &["ordinal:troisième=3"]),
            ("50 pour cent", &["percentage:50 pour cent=50"]),
            ("12,5 %", &["percentage:12,5 %=12.5"]),
            ("dix minutes", &["duration:dix minutes=PT10M"]),
            ("une demi-heure", &["duration:une demi-heure=PT30M"]),
            ("une heure et demie", &["duration:une heure et demie=PT1H30M"]),
            ("deux heures et quinze minutes", &["duration:deux heures et quinze minutes=PT2H15M"]),
            ("trois semaines", &["duration:trois semaines=P21D"]),
            ("attends une seconde", &["duration:une seconde=PT1S"]),
            ("5 euros", &["money:5 euros=5 EUR"]),
            ("3 euros 50", &["money:3 euros 50=3.5 EUR"]),
            ("1 299,99 €", &["money:1 299,99 €=1299.99 EUR"]),
            ("20 degrés", &["temperature:20 degrés=20 degree"]),
            ("moins 5 degrés Celsius", &["temperature:moins 5 degrés Celsius=-5 celsius"]),
            ("5 kilomètres", &["distance:5 kilomètres=5 kilometre"]),
            ("appelle le 01 23 45 67 89", &["phone:01 23 45 67 89=0123456789"]),
        ],
    );
}
