import { checkKills } from '../support/check-kills.ts'

checkKills(40)
