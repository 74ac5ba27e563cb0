//! Portuguese.

use super::{Row, check, check_at};

const DATES: &[Row] = &[
    ("o que tenho hoje", &["date:hoje=2026-11-23"]),
    ("para amanhã?", &["date:amanhã=2026-11-24"]),
    ("foi ontem", &["date:ontem=2026-11-22"]),
    ("depois de amanhã", &["date:depois de amanhã=2026-11-25"]),
    ("anteontem", &["date:anteontem=2026-11-21"]),
    ("o que tem hoje à noite", &["date:hoje à noite=2026-11-23"]),
    ("na sexta", &["date:sexta=2026-11-27"]),
    ("na sexta-feira", &["date:sexta-feira=2026-11-27"]),
    ("segunda-feira", &["date:segunda-feira=2026-11-30"]),
    ("esta segunda", &["date:esta segunda=2026-11-23"]),
    ("próxima sexta", &["date:próxima sexta=2026-11-27"]),
    ("sexta que vem", &["date:sexta que vem=2026-11-27"]),
    ("sexta-feira passada", &["date:sexta-feira passada=2026-11-20"]),
    ("no sábado", &["date:sábado=2026-11-28"]),
    ("quarta da semana que vem", &["date:quarta da semana que vem=2026-12-02"]),
    ("em duas semanas", &["date:em duas semanas=2026-12-07"]),
    ("daqui a três dias", &["date:daqui a três dias=2026-11-26"]),
    ("dentro de um mês", &["date:dentro de um mês=2026-12-23"]),
    ("há dois dias", &["date:há dois dias=2026-11-21"]),
    ("três dias atrás", &["date:três dias atrás=2026-11-20"]),
    ("há um ano", &["date:há um ano=2025-11-23"]),
    ("14 de março de 2027", &["date:14 de março de 2027=2027-03-14"]),
    ("dia 3 de outubro", &["date:dia 3 de outubro=2027-10-03"]),
    ("primeiro de maio", &["date:primeiro de maio=2027-05-01"]),
    ("em primeiro de maio", &["date:em primeiro de maio=2027-05-01"]),
    ("vinte e um de junho", &["date:vinte e um de junho=2027-06-21"]),
    ("29 de fevereiro", &["date:29 de fevereiro=2028-02-29"]),
    ("segunda-feira, 30 de novembro", &["date:segunda-feira, 30 de novembro=2026-11-30"]),
    ("14/03/2027", &["date:14/03/2027=2027-03-14"]),
    ("a prova do dia 3/4", &["date:3/4=2027-04-03"]),
    ("2027-12-31", &["date:2027-12-31=2027-12-31"]),
    ("no dia 3", &["date:no dia 3=2026-12-03"]),
    ("no fim do mês", &["date:no fim do mês=2026-11-30"]),
    ("no natal", &["date:no natal=2026-12-25"]),
];

const STRETCHES: &[Row] = &[
    ("esta semana", &["interval:esta semana=2026-11-23..2026-11-29"]),
    ("na semana que vem", &["interval:na semana que vem=2026-11-30..2026-12-06"]),
    ("no mês passado", &["interval:no mês passado=2026-10-01..2026-10-31"]),
    ("no ano que vem", &["interval:no ano que vem=2027-01-01..2027-12-31"]),
    ("neste fim de semana", &["interval:neste fim de semana=2026-11-28..2026-11-29"]),
    ("em janeiro", &["interval:em janeiro=2027-01-01..2027-01-31"]),
    ("fevereiro de 2028", &["interval:fevereiro de 2028=2028-02-01..2028-02-29"]),
    ("nos próximos três dias", &["interval:nos próximos três dias=2026-11-23..2026-11-26"]),
    ("amanhã de manhã", &["interval:amanhã de manhã=2026-11-24T06:00:00+01:00..2026-11-24T12:00:00+01:00"]),
    ("sexta à noite", &["interval:sexta à noite=2026-11-27T18:00:00+01:00..2026-11-28T00:00:00+01:00"]),
    ("das 15h às 17h", &["interval:das 15h às 17h=15:00:00..17:00:00"]),
    ("das 3 às 5 da tarde", &["interval:das 3 às 5 da tarde=15:00:00..17:00:00"]),
    ("das 3 às 5", &["interval:das 3 às 5=15:00:00..17:00:00"]),
    ("entre as nove e as onze", &["interval:entre as nove e as onze=09:00:00..11:00:00"]),
    ("entre segunda e sexta", &["interval:entre segunda e sexta=2026-11-30..2026-12-04"]),
    ("de amanhã até sexta", &["interval:de amanhã até sexta=2026-11-24..2026-11-27"]),
    (
        "amanhã das 3 às 5",
        &["interval:amanhã das 3 às 5=2026-11-24T15:00:00+01:00..2026-11-24T17:00:00+01:00"],
    ),
    ("de 3 a 5 de março", &["interval:de 3 a 5 de março=2027-03-03..2027-03-05"]),
];

const TIMES: &[Row] = &[
    ("às 15:30", &["time:às 15:30=15:30:00"]),
    ("às 15h30", &["time:às 15h30=15:30:00"]),
    ("15h", &["time:15h=15:00:00"]),
    ("às 6h", &["time:às 6h=06:00:00"]),
    ("às 5", &["time:às 5=17:00:00"]),
    ("à uma", &["time:à uma=13:00:00"]),
    ("às nove horas", &["time:às nove horas=09:00:00"]),
    ("às 6 da manhã", &["time:às 6 da manhã=06:00:00"]),
    ("às oito da noite", &["time:às oito da noite=20:00:00"]),
    ("às três e meia", &["time:às três e meia=15:30:00"]),
    ("às nove e um quarto", &["time:às nove e um quarto=09:15:00"]),
    ("quinze para as oito", &["time:quinze para as oito=07:45:00"]),
    ("às sete e dez", &["time:às sete e dez=07:10:00"]),
    ("ao meio-dia", &["time:ao meio-dia=12:00:00"]),
    ("à meia-noite", &["time:à meia-noite=00:00:00"]),
    ("são três horas", &["time:são três horas=15:00:00"]),
    ("meia-noite e meia", &["time:meia-noite e meia=00:30:00"]),
    ("meio-dia e meia", &["time:meio-dia e meia=12:30:00"]),
    ("às três da madrugada", &["time:às três da madrugada=03:00:00"]),
    ("às vinte horas", &["time:às vinte horas=20:00:00"]),
];

const MOMENTS: &[Row] = &[
    ("amanhã às 15h", &["datetime:amanhã às 15h=2026-11-24T15:00:00+01:00"]),
    ("às 9 na sexta", &["datetime:às 9 na sexta=2026-11-27T09:00:00+01:00"]),
    ("hoje à noite às 8", &["datetime:hoje à noite às 8=2026-11-23T20:00:00+01:00"]),
    ("amanhã de manhã às 9", &["datetime:amanhã de manhã às 9=2026-11-24T09:00:00+01:00"]),
    ("em 10 minutos", &["datetime:em 10 minutos=2026-11-23T10:10:00+01:00"]),
    ("há duas horas", &["datetime:há duas horas=2026-11-23T08:00:00+01:00"]),
    ("em meia hora", &["datetime:em meia hora=2026-11-23T10:30:00+01:00"]),
    ("daqui a uma hora", &["datetime:daqui a uma hora=2026-11-23T11:00:00+01:00"]),
    ("14 de março de 2027 às 15:30", &["datetime:14 de março de 2027 às 15:30=2027-03-14T15:30:00+01:00"]),
    (
        "segunda às três e meia da tarde",
        &["datetime:segunda às três e meia da tarde=2026-11-30T15:30:00+01:00"],
    ),
];

const RECURRENCES: &[Row] = &[
    (
        "toda segunda-feira às 9",
        &["recurrence:toda segunda-feira às 9=FREQ=WEEKLY;BYDAY=MO;BYHOUR=9;BYMINUTE=0"],
    ),
    ("todas as terças e quintas", &["recurrence:todas as terças e quintas=FREQ=WEEKLY;BYDAY=TU,TH"]),
    ("todos os dias ao meio-dia", &["recurrence:todos os dias ao meio-dia=FREQ=DAILY;BYHOUR=12;BYMINUTE=0"]),
    ("toda primeira segunda do mês", &["recurrence:toda primeira segunda do mês=FREQ=MONTHLY;BYDAY=1MO"]),
    ("a cada duas semanas", &["recurrence:a cada duas semanas=FREQ=WEEKLY;INTERVAL=2"]),
    ("toda noite às 8", &["recurrence:toda noite às 8=FREQ=DAILY;BYHOUR=20;BYMINUTE=0"]),
    ("dia 1 de cada mês", &["recurrence:dia 1 de cada mês=FREQ=MONTHLY;BYMONTHDAY=1"]),
    (
        "de segunda a sexta às 7",
        &["recurrence:de segunda a sexta às 7=FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=7;BYMINUTE=0"],
    ),
];

const NOTHING: &[Row] = &[
    ("segundo o professor", &[]),
    ("um cão e uma gata", &[]),
    ("liga para a escola", &[]),
    ("primeiro abre o livro", &[]),
    ("limpa o meu quarto", &[]),
    ("uma vez", &[]),
    ("bom dia", &[]),
    ("boa noite", &[]),
    ("2027-02-30", &[]),
    ("meia calça", &[]),
    ("a hora do recreio", &[]),
    ("os dois lados", &["number:dois=2"]),
    ("um de nós", &[]),
    ("e assim por diante", &[]),
];

#[test]
fn dates_are_full_dates() {
    check("pt", DATES);
}

#[test]
fn stretches_have_both_ends() {
    check("pt", STRETCHES);
}

#[test]
fn times_and_moments() {
    check("pt", TIMES);
    check("pt", MOMENTS);
}

#[test]
fn recurrences_are_rules() {
    check("pt", RECURRENCES);
}

#[test]
fn what_means_something_else_is_left_alone() {
    check("pt", NOTHING);
}

#[test]
fn clocks_change_and_years_leap() {
    check_at(
        "pt",
        "2027-03-27T12:00:00+00:00[Europe/Lisbon]",
        &[
            // The clocks skip from 1 to 2.
            ("amanhã à 1:30", &["datetime:amanhã à 1:30=2027-03-28T02:30:00+01:00"]),
            ("em 24 horas", &["datetime:em 24 horas=2027-03-28T13:00:00+01:00"]),
        ],
    );
    check_at(
        "pt",
        "2028-01-31T12:00:00-03:00[America/Sao_Paulo]",
        &[("em um mês", &["date:em um mês=2028-02-29"]), ("há um mês", &["date:há um mês=2027-12-31"])],
    );
}

#[test]
fn amounts_are_read() {
    check(
        "pt",
        &[
            ("tenho 3 maçãs", &["number:3=3"]),
            ("vinte e um alunos", &["number:vinte e um=21"]),
            ("duzentos e quarenta e cinco", &["number:duzentos e quarenta e cinco=245"]),
            ("dois mil e trezentos passos", &["number:dois mil e trezentos=2300"]),
            ("um milhão de pessoas", &["number:um milhão=1000000"]),
            ("1.234,5 pontos", &["number:1.234,5=1234.5"]),
            ("três vírgula cinco", &["number:três vírgula cinco=3.5"]),
            ("o 2º capítulo", &["ordinal:2º=2"]),
            ("a terceira pergunta", &["ordinal:terceira=3"]),
            ("a segunda pergunta", &["ordinal:segunda=2"]),
            ("espera um segundo", &["duration:um segundo=PT1S"]),
            ("50 por cento", &["percentage:50 por cento=50"]),
            ("12,5 %", &["percentage:12,5 %=12.5"]),
            ("dez minutos", &["duration:dez minutos=PT10M"]),
            ("meia hora", &["duration:meia hora=PT30M"]),
            ("uma hora e meia", &["duration:uma hora e meia=PT1H30M"]),
            ("duas horas e quinze minutos", &["duration:duas horas e quinze minutos=PT2H15M"]),
            ("três semanas", &["duration:três semanas=P21D"]),
            ("5 euros", &["money:5 euros=5 EUR"]),
            ("R$ 20,50", &["money:R$ 20,50=20.5 BRL"]),
            ("3 reais e 50 centavos", &["money:3 reais e 50 centavos=3.5 BRL"]),
            ("20 graus", &["temperature:20 graus=20 degree"]),
            ("menos 5 graus Celsius", &["temperature:menos 5 graus Celsius=-5 celsius"]),
            ("5 quilômetros", &["distance:5 quilômetros=5 kilometre"]),
            ("liga para +351 912 345 678", &["phone:+351 912 345 678=+351912345678"]),
        ],
    );
}
