"""List what people pick when a password must be long: refused, as everyone tries these first."""

RUNS = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "qwertyuiop[]asdfghjkl;'zxcvbnm,./",
    "1234567890qwertyuiop",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "qazwsxedcrfvtgbyhnujmikolp",
    "!@#$%^&*()_+",
    "+lsctzyaie",
)

# Lower case and without accents, as the check compares them.
COMMON_PASSWORDS = frozenset(
    """
    adminadminadmin administrator123 administrator1234 ahojakosamasdnes ahojtotojemojeheslo
    allyouneedislove alohomoraalohomora anothersecretpassword barcelonabarcelona
    basketball12345 benedictcumberbatch bratislava12345 bratislavabratislava
    changemechangeme changemenow12345 chelseafootballclub chocolatechocolate
    christianoronaldo computercomputer correcthorsebatterystaple correctbatteryhorsestaple
    correct-horse-battery-staple correct.horse.battery.staple
    cristianoronaldo cristianoronaldo7 defaultpassword defaultpassword1 dobryden12345678
    donotusethispassword dontforgetthispassword elizabethelizabeth fcbarcelona12345
    fcbayernmunchen footballfootball forgotmypassword forgotpassword123 gameofthrones123
    godisgoodallthetime hallohallohallo harrypotterharrypotter heslo1234567890
    heslohesloheslo heslojeheslojeheslo hesloheslo12345 ihatepasswords123
    iamtheoneandonly icanrememberthis iforgotmypassword iforgotmypassword1
    ihatemakingpasswords iloveyou12345678 iloveyouforever iloveyouiloveyou iloveyousomuch
    iloveyousomuch1 incorrectpassword inter12345678901 itsasecret12345
    itsnotyourbusiness jacquelinejacqueline jesusismysaviour
    jesuschristislord jesusislord12345 kjkszpjkjkszpj kukuricakukurica letmeinletmein
    letmeinletmeinletmein letmeinplease123 linkedinlinkedin liverpoolfc12345
    liverpoolliverpool lovelovelovelove lubimtalubimta lubimtalubimtalubimta
    machinelearning maminkatatinko manchesterunited manchesterunited1 maytheforcebewithyou
    mamatatinkoaja milujemtemilujem milujemtezivotmoj milujisitemiluji mojeheslo123456
    mojeheslojeheslo mojetajneheslo1 mojetajneheslojeheslo mojehesloneuhadnes
    monkeymonkeymonkey mypasswordis123 mypasswordispassword mypasswordmypassword
    mysecretpassword mysecretpassword1 nbusr123nbusr123 nbusr123456789 nepoviemti12345
    nepamatamsiheslo newpassword1234 newpassword12345 nobodyknowsthis1 nothingelsematters
    opensesameopensesame p@ssw0rdp@ssw0rd p@ssword12345678 partizan12345678
    passw0rdpassw0rd password!password password.password password_password
    password-password password123456789 password1234567 password12345678
    password1234567890 password123password password123password123 password1password1
    password1password2 passwordpassword passwordpassword1 passwordpassword12
    passwordpassword123 passwordpasswordpassword passwordispassword passwortpasswort
    pleaseletmein123 princess12345678 princessprincess qwerty1234567890 qwerty123456789
    qwerty12345qwerty qwertyqwertyqwerty qwertzqwertzqwertz qwertzuiop12345 ronaldinhogaucho
    rumpelstiltskin samsunggalaxys samsungsamsung123 secretsecretsecret slovakia12345678
    slovenskoslovensko slovensko1234567 slovensko12345678 slnieckozlate1234 slnkonaoblohe123
    startrekstartrek starwarsstarwars summersummersummer sunshinesunshine
    superman12345678 supermansupermansuperman supercalifragilistic
    supercalifragilisticexpialidocious superheslo12345 superheslosuperheslo
    tajneheslo12345 tajneheslotajneheslo testtesttesttest testpassword1234
    thebeatlesthebeatles thequickbrownfox thequickbrownfoxjumpsoverthelazydog
    thisisapassword thisisapassword1 thisismypassword thisismypassword1
    thisismypassword123 thisisnotapassword thisisnotmypassword tobeornottobethatisthequestion
    tobeornottobethat totojemojeheslo totojemojeheslo1 totojeheslo12345 totojetajneheslo
    totonieheslojeheslo trustno1trustno1 viemcoviemneviem vsetkonajlepsie1 welcome123456789
    welcometothejungle welcomewelcome1 whatisyourname12 whatismypassword whoknowswhocares
    winteriscoming123 winteriscoming1 youshallnotpass youshallnotpass1 youllneverwalkalone
    youwillneverguess youwillneverwalkalone zabudolsomheslo zabudlasomheslo zlatemojemilovane
    """.split()  # noqa: SIM905  # read as words, not as code
) | frozenset(
    {
        "all you need is love",
        "correct horse battery staple",
        "may the force be with you",
        "the quick brown fox",
        "the quick brown fox jumps over the lazy dog",
        "this is a password",
        "this is my password",
        "this is not a password",
        "to be or not to be",
        "toto je moje heslo",
        "you shall not pass",
        "you'll never walk alone",
    }
)
