# Breaks one alert of the rules that it reads: -v alert=NAME -v way=gone|reach|easy|soon|condition [-v which=N]. What the ways
# are stands in rules-fire.

# The number of a comparison, changed.
function changed(sign, number) {
    if (way == "reach") {
        if (number == 0) return sign ~ /</ ? -100 : 100
        return sign ~ /</ ? number / 100 : number * 100
    }
    if (number == 0 || sign == ">=") return sign ~ /</ ? number + 1 : number - 1
    return number * (sign ~ /</ ? 1.03 : 0.97)
}
# All comparisons with a number in a line, or the first one of the alert.
function compared(line,    before, found, sign) {
    before = ""
    while (match(line, /(>=|<=|==|>|<) [0-9.]+/)) {
        found = substr(line, RSTART, RLENGTH)
        sign = substr(found, 1, index(found, " ") - 1)
        before = before substr(line, 1, RSTART - 1)
        line = substr(line, RSTART + RLENGTH)
        if (way == "reach" || (way == "easy" && !eased && sign != "=="))
            found = sign " " changed(sign, substr(found, length(sign) + 2))
        eased = 1
        before = before found
    }
    return before line
}
function seconds(time) { return time ~ /m$/ ? time * 60 : time + 0 }

/ - (alert|record): / { inside = ($2 == "alert:" && $3 == alert); of_expr = 0 }
!inside { print; next }
/ expr: / { of_expr = 1 }
/ (for|labels): / { of_expr = 0 }
way == "gone" { next }
way == "soon" && $1 == "for:" { sub(/for: .*/, "for: " seconds($2) - 5 "s") }
way == "condition" && of_expr && /^ +(and|or) / && ++conditions == which { next }
of_expr { $0 = compared($0) }
{ print }
