//! Spanish.

use super::{Row, check, check_at};

const DATES: &[Row] = &[
    ("qué tengo hoy", &["date:hoy=2026-11-23"]),
    ("¿para mañana?", &["date:mañana=2026-11-24"]),
    ("para manana", &["date:manana=2026-11-24"]),
    ("fue ayer", &["date:ayer=2026-11-22"]),
    ("pasado mañana", &["date:pasado mañana=2026-11-25"]),
    ("anteayer", &["date:anteayer=2026-11-21"]),
    ("qué hay esta noche", &["date:esta noche=2026-11-23"]),
    ("el viernes", &["date:el viernes=2026-11-27"]),
    ("lunes", &["date:lunes=2026-11-30"]),
    ("este lunes", &["date:este lunes=2026-11-23"]),
    ("el próximo viernes", &["date:el próximo viernes=2026-11-27"]),
    ("el viernes que viene", &["date:el viernes que viene=2026-11-27"]),
    ("el viernes pasado", &["date:el viernes pasado=2026-11-20"]),
    ("el miércoles de la semana que viene", &["date:el miércoles de la semana que viene=2026-12-02"]),
    ("en dos semanas", &["date:en dos semanas=2026-12-07"]),
    ("dentro de un mes", &["date:dentro de un mes=2026-12-23"]),
    ("hace una semana", &["date:hace una semana=2026-11-16"]),
    ("hace tres días", &["date:hace tres días=2026-11-20"]),
    ("hace un año", &["date:hace un año=2025-11-23"]),
    ("dos meses atrás", &["date:dos meses atrás=2026-09-23"]),
    ("el 14 de marzo de 2027", &["date:el 14 de marzo de 2027=2027-03-14"]),
    ("el 3 de octubre", &["date:el 3 de octubre=2027-10-03"]),
    ("el primero de mayo", &["date:el primero de mayo=2027-05-01"]),
    ("el veintiuno de junio", &["date:el veintiuno de junio=2027-06-21"]),
    ("el treinta y uno de diciembre", &["date:el treinta y uno de diciembre=2026-12-31"]),
    ("29 de febrero", &["date:29 de febrero=2028-02-29"]),
    ("lunes, 30 de noviembre", &["date:lunes, 30 de noviembre=2026-11-30"]),
    ("14/03/2027", &["date:14/03/2027=2027-03-14"]),
    ("el examen del 3/4", &["date:3/4=2027-04-03"]),
    ("2027-12-31", &["date:2027-12-31=2027-12-31"]),
    ("el día 3", &["date:el día 3=2026-12-03"]),
    ("a fin de mes", &["date:a fin de mes=2026-11-30"]),
    ("en navidad", &["date:en navidad=2026-12-25"]),
];

const STRETCHES: &[Row] = &[
    ("esta semana", &["interval:esta semana=2026-11-23..2026-11-29"]),
    ("la semana que viene", &["interval:la semana que viene=2026-11-30..2026-12-06"]),
    ("el mes pasado", &["interval:el mes pasado=2026-10-01..2026-10-31"]),
    ("el próximo año", &["interval:el próximo año=2027-01-01..2027-12-31"]),
    ("este fin de semana", &["interval:este fin de semana=2026-11-28..2026-11-29"]),
    ("en enero", &["interval:en enero=2027-01-01..2027-01-31"]),
    ("febrero de 2028", &["interval:febrero de 2028=2028-02-01..2028-02-29"]),
    ("los próximos tres días", &["interval:los próximos tres días=2026-11-23..2026-11-26"]),
    (
        "mañana por la mañana",
        &["interval:mañana por la mañana=2026-11-24T06:00:00+01:00..2026-11-24T12:00:00+01:00"],
    ),
    (
        "el viernes por la noche",
        &["interval:el viernes por la noche=2026-11-27T18:00:00+01:00..2026-11-28T00:00:00+01:00"],
    ),
    ("de las 3 a las 5 de la tarde", &["interval:de las 3 a las 5 de la tarde=15:00:00..17:00:00"]),
    ("de 9:00 a 10:30", &["interval:de 9:00 a 10:30=09:00:00..10:30:00"]),
    ("entre las nueve y las once", &["interval:entre las nueve y las once=09:00:00..11:00:00"]),
    ("entre el lunes y el viernes", &["interval:entre el lunes y el viernes=2026-11-30..2026-12-04"]),
    ("de mañana al viernes", &["interval:de mañana al viernes=2026-11-24..2026-11-27"]),
    ("mañana de 3 a 5", &["interval:mañana de 3 a 5=2026-11-24T15:00:00+01:00..2026-11-24T17:00:00+01:00"]),
    ("del 3 al 5 de marzo", &["interval:del 3 al 5 de marzo=2027-03-03..2027-03-05"]),
];

const TIMES: &[Row] = &[
    ("a las 15:30", &["time:a las 15:30=15:30:00"]),
    ("a las 5", &["time:a las 5=17:00:00"]),
    ("a la una", &["time:a la una=13:00:00"]),
    ("a las nueve", &["time:a las nueve=09:00:00"]),
    ("a las 6 de la mañana", &["time:a las 6 de la mañana=06:00:00"]),
    ("a las ocho de la noche", &["time:a las ocho de la noche=20:00:00"]),
    ("a las tres y media", &["time:a las tres y media=15:30:00"]),
    ("las nueve y cuarto", &["time:las nueve y cuarto=09:15:00"]),
    ("a las ocho menos cuarto", &["time:a las ocho menos cuarto=07:45:00"]),
    ("a las siete y diez", &["time:a las siete y diez=07:10:00"]),
    ("a las seis menos veinte", &["time:a las seis menos veinte=17:40:00"]),
    ("por la noche a las 10", &["time:por la noche a las 10=22:00:00"]),
    ("son las tres", &["time:son las tres=15:00:00"]),
    ("a mediodía", &["time:a mediodía=12:00:00"]),
    ("a medianoche", &["time:a medianoche=00:00:00"]),
    ("a las 15 horas", &["time:a las 15 horas=15:00:00"]),
    ("a las ocho en punto", &["time:a las ocho en punto=08:00:00"]),
    ("a las quince treinta", &["time:a las quince treinta=15:30:00"]),
    ("a las tres de la madrugada", &["time:a las tres de la madrugada=03:00:00"]),
    ("a las diez y media de la noche", &["time:a las diez y media de la noche=22:30:00"]),
];

const MOMENTS: &[Row] = &[
    ("mañana a las 15:00", &["datetime:mañana a las 15:00=2026-11-24T15:00:00+01:00"]),
    ("a las 9 el viernes", &["datetime:a las 9 el viernes=2026-11-27T09:00:00+01:00"]),
    ("esta noche a las 8", &["datetime:esta noche a las 8=2026-11-23T20:00:00+01:00"]),
    ("mañana por la mañana a las 9", &["datetime:mañana por la mañana a las 9=2026-11-24T09:00:00+01:00"]),
    ("en 10 minutos", &["datetime:en 10 minutos=2026-11-23T10:10:00+01:00"]),
    ("hace dos horas", &["datetime:hace dos horas=2026-11-23T08:00:00+01:00"]),
    ("en media hora", &["datetime:en media hora=2026-11-23T10:30:00+01:00"]),
    ("dentro de hora y media", &["datetime:dentro de hora y media=2026-11-23T11:30:00+01:00"]),
    (
        "el 14 de marzo de 2027 a las 15:30",
        &["datetime:el 14 de marzo de 2027 a las 15:30=2027-03-14T15:30:00+01:00"],
    ),
    (
        "el lunes a las tres y media de la tarde",
        &["datetime:el lunes a las tres y media de la tarde=2026-11-30T15:30:00+01:00"],
    ),
];

const RECURRENCES: &[Row] = &[
    (
        "todos los lunes a las 9",
        &["recurrence:todos los lunes a las 9=FREQ=WEEKLY;BYDAY=MO;BYHOUR=9;BYMINUTE=0"],
    ),
    ("el primer lunes de cada mes", &["recurrence:el primer lunes de cada mes=FREQ=MONTHLY;BYDAY=1MO"]),
    ("cada lunes", &["recurrence:cada lunes=FREQ=WEEKLY;BYDAY=MO"]),
    ("los martes y jueves", &["recurrence:los martes y jueves=FREQ=WEEKLY;BYDAY=TU,TH"]),
    ("todos los días a mediodía", &["recurrence:todos los días a mediodía=FREQ=DAILY;BYHOUR=12;BYMINUTE=0"]),
    ("cada dos semanas", &["recurrence:cada dos semanas=FREQ=WEEKLY;INTERVAL=2"]),
    ("cada noche a las 8", &["recurrence:cada noche a las 8=FREQ=DAILY;BYHOUR=20;BYMINUTE=0"]),
    ("el 1 de cada mes", &["recurrence:el 1 de cada mes=FREQ=MONTHLY;BYMONTHDAY=1"]),
    (
        "de lunes a viernes a las 7",
        &["recurrence:de lunes a viernes a las 7=FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=7;BYMINUTE=0"],
    ),
];

const NOTHING: &[Row] = &[
    ("por la mañana estudio", &[]),
    ("de segunda mano", &[]),
    ("un perro y una gata", &[]),
    ("llama a la escuela", &[]),
    ("uno de ellos", &[]),
    ("primero abre el libro", &[]),
    ("en el cuarto oscuro", &[]),
    ("una vez", &[]),
    ("buenos días", &[]),
    ("buenas noches", &[]),
    ("2027-02-30", &[]),
    ("media naranja", &[]),
    ("la hora del recreo", &[]),
    ("es el mes perfecto", &[]),
];

#[test]
fn dates_are_full_dates() {
    check("es", DATES);
}

#[test]
fn stretches_have_both_ends() {
    check("es", STRETCHES);
}

#[test]
fn times_and_moments() {
    check("es", TIMES);
    check("es", MOMENTS);
}

#[test]
fn recurrences_are_rules() {
    check("es", RECURRENCES);
}

#[test]
fn what_means_something_else_is_left_alone() {
    check("es", NOTHING);
}

#[test]
fn clocks_change_and_years_leap() {
    check_at(
        "es",
        "2027-03-27T12:00:00+01:00[Europe/Madrid]",
        &[
            ("mañana a las 2:30", &["datetime:mañana a las 2:30=2027-03-28T03:30:00+02:00"]),
            ("en 24 horas", &["datetime:en 24 horas=2027-03-28T13:00:00+02:00"]),
        ],
    );
    check_at(
        "es",
        "2028-01-31T12:00:00-06:00[America/Mexico_City]",
        &[("en un mes", &["date:en un mes=2028-02-29"]), ("hace un mes", &["date:hace un mes=2027-12-31"])],
    );
}

#[test]
fn amounts_are_read() {
    check(
        "es",
        &[
            ("tengo 3 manzanas", &["number:3=3"]),
            ("veintiún alumnos", &["number:veintiún=21"]),
            ("treinta y cinco páginas", &["number:treinta y cinco=35"]),
            ("doscientos cuarenta y cinco", &["number:doscientos cuarenta y cinco=245"]),
            ("dos mil trescientos pasos", &["number:dos mil trescientos=2300"]),
            ("un millón de personas", &["number:un millón=1000000"]),
            ("1.234,5 puntos", &["number:1.234,5=1234.5"]),
            ("tres coma cinco", &["number:tres coma cinco=3.5"]),
            ("el 2º capítulo", &["ordinal:2º=2"]),
            ("la tercera pregunta", &["ordinal:tercera=3"]),
            ("el segundo capítulo", &["ordinal:segundo=2"]),
            ("espera un segundo", &["duration:un segundo=PT1S"]),
            ("50 por ciento", &["percentage:50 por ciento=50"]),
            ("12,5 %", &["percentage:12,5 %=12.5"]),
            ("diez minutos", &["duration:diez minutos=PT10M"]),
            ("media hora", &["duration:media hora=PT30M"]),
            ("una hora y media", &["duration:una hora y media=PT1H30M"]),
            ("dos horas y quince minutos", &["duration:dos horas y quince minutos=PT2H15M"]),
            ("tres semanas", &["duration:tres semanas=P21D"]),
            ("5 euros", &["money:5 euros=5 EUR"]),
            ("3 euros con 50", &["money:3 euros con 50=3.5 EUR"]),
            ("1.299,99 €", &["money:1.299,99 €=1299.99 EUR"]),
            ("20 grados", &["temperature:20 grados=20 degree"]),
            ("menos 5 grados centígrados", &["temperature:menos 5 grados centígrados=-5 celsius"]),
            ("5 kilómetros", &["distance:5 kilómetros=5 kilometre"]),
            ("llama al +34 612 345 678", &["phone:+34 612 345 678=+34612345678"]),
        ],
    );
}
