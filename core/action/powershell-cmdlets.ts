// What cmdlets and the built-in commands of Windows do, by name; and by their verb where no name says it.

import type { Effect } from './types.ts';

const words = (text: string) => text.split(/\s+/);

/** Other names of one cmdlet. */
export const ALIASES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'get-childitem': 'gci ls dir',
    'get-content': 'gc cat type',
    'get-item': 'gi',
    'get-itemproperty': 'gp',
    'select-string': 'sls findstr',
    'remove-item': 'ri rm del erase rd rmdir',
    'remove-itemproperty': 'rp',

    'add-content': 'ac',
    'clear-content': 'clc',
    'copy-item': 'copy cp cpi xcopy',
    'move-item': 'move mv mi',
    'rename-item': 'ren rni rename',
    'new-item': 'ni md mkdir',
    'set-itemproperty': 'sp',
    'set-location': 'cd chdir sl pushd popd push-location pop-location',
    'tee-object': 'tee',
    'invoke-expression': 'iex',
    'invoke-webrequest': 'iwr',
    'invoke-restmethod': 'irm',
    'invoke-command': 'icm',
    'start-process': 'saps start',
    'stop-process': 'spps taskkill kill',
    'start-job': 'sajb',
    'foreach-object': '% foreach',
    'where-object': '? where',
    'export-csv': 'epcsv',
    'import-module': 'ipmo',
    'write-output': 'echo write',
    'set-variable': 'sv set',
    'clear-host': 'cls clear',
    'invoke-item': 'ii',
    'set-service': 'sasv',
  }).flatMap(([name, others]) => words(others).map((other) => [other, name] as const)),
);

const rows: readonly (readonly [Effect, string])[] = [
  [
    'none',
    'select-object select where-object sort-object sort group-object group measure-object measure format-table format-list format-wide format-custom ft fl fw out-string out-host out-null out-default out-gridview convertto-json convertfrom-json convertto-csv convertfrom-csv convertto-html convertto-xml convertfrom-stringdata compare-object diff compare tee-host get-unique gu get-member gm write-output write-host write-verbose write-warning write-error write-debug write-information write-progress foreach-object start-sleep sleep clear-host set-variable new-variable new-timespan new-guid new-temporaryfile get-random join-path split-path set-strictmode set-psdebug set-location import-module remove-module new-object add-member start-transcript stop-transcript wait-job receive-job remove-job wait-process wait-event start-job start-threadjob return break continue exit throw rem pause title color cls if else elseif foreach for while do until switch try catch finally function filter param begin process end using trap data set-psreadlineoption set-alias new-alias set-culture',
  ],
  [
    'read',
    'get-location gl pwd get-date get-process gps ps get-service gsv get-command gcm get-help get-module get-host get-history get-variable get-alias get-psdrive get-volume get-disk get-partition get-physicaldisk get-computerinfo get-hotfix get-package get-eventlog get-winevent get-ciminstance get-wmiobject get-scheduledtask get-scheduledtaskinfo get-localuser get-localgroup get-localgroupmember get-culture get-uptime get-timezone get-job get-childitem get-item get-itemproperty get-itempropertyvalue get-filehash get-acl get-authenticodesignature get-executionpolicy get-clipboard test-path test-connection test-netconnection test-json test-modulemanifest resolve-path resolve-dnsname select-string import-csv import-clixml import-powershelldatafile tasklist systeminfo ipconfig ver hostname whoami driverquery getmac nbtstat tracert pathping findstr where fc comp tree netstat arp nslookup query quser qwinsta gpresult openfiles chcp path vol assoc ftype measure-command find-module find-package show-command trace-command',
  ],
  [
    'write',
    'set-content add-content out-file tee-object export-csv export-clixml new-item expand-archive compress-archive copy-item robocopy mklink attrib new-modulemanifest update-formatdata convert-path',
  ],
  ['overwrite', 'move-item rename-item clear-content'],
  ['delete', 'remove-item'],
  [
    'build',
    'invoke-pester invoke-build invoke-psake invoke-scriptanalyzer invoke-formatter import-localizeddata update-help msbuild nmake devenv vstest.console cl csc',
  ],
  [
    'system_change',
    'restart-service stop-service start-service set-service suspend-service resume-service restart-computer stop-computer rename-computer set-date set-timezone set-itemproperty new-itemproperty remove-itemproperty clear-itemproperty new-netfirewallrule set-netfirewallrule new-netipaddress set-netipaddress set-dnsclientserveraddress new-netroute set-netadapter disable-netadapter enable-netadapter set-wsusserver mount-diskimage dismount-diskimage resize-partition new-partition set-partition set-disk set-volume repair-volume optimize-volume add-computer remove-computer set-processmitigation enable-psremoting set-item winrm wsman set-wsmaninstance dism sfc gpupdate subst diskperf chkdsk convert powercfg w32tm bcdboot bootrec pnputil',
  ],
  [
    'security_disable',
    'set-mppreference add-mppreference remove-mppreference clear-eventlog remove-eventlog limit-eventlog set-executionpolicy disable-bitlocker clear-bitlockerautounlock disable-netfirewallrule remove-netfirewallrule uninstall-windowsdefender disable-applockerpolicy set-applockerpolicy clear-history auditpol manage-bde fltmc disable-psreadlinehistory remove-mpthreat disable-auditrule',
  ],
  [
    'disk_destroy',
    'format-volume clear-disk initialize-disk remove-partition reset-physicaldisk remove-virtualdisk remove-storagepool format',
  ],
  [
    'identity_change',
    'new-localuser remove-localuser set-localuser enable-localuser disable-localuser add-localgroupmember remove-localgroupmember new-localgroup set-acl new-smbshare grant-smbshareaccess set-adaccountpassword unlock-adaccount enable-adaccount disable-adaccount add-adgroupmember remove-adgroupmember connect-azaccount connect-mggraph connect-exchangeonline connect-azuread disconnect-azaccount new-selfsignedcertificate import-certificate import-pfxcertificate cmdkey takeown icacls cacls',
  ],
  [
    'schedule',
    'register-scheduledtask set-scheduledtask unregister-scheduledtask enable-scheduledtask disable-scheduledtask start-scheduledtask register-scheduledjob new-service register-wmievent register-cimindicationevent setx new-eventsubscription',
  ],
  [
    'install_system',
    'install-module install-package install-script install-psresource install-windowsfeature uninstall-windowsfeature add-windowsfeature add-windowscapability remove-windowscapability enable-windowsoptionalfeature disable-windowsoptionalfeature add-appxpackage remove-appxpackage add-appxprovisionedpackage update-module uninstall-module uninstall-package register-psrepository msiexec install-packageprovider',
  ],
  ['process_own', 'stop-process stop-job debug-process'],
  [
    'secret_fetch',
    'get-secret get-azkeyvaultsecret get-storedcredential convertfrom-securestring get-laps get-lapsadpassword get-ssmparameter get-sesecretvalue',
  ],
  ['message', 'send-mailmessage send-mgusermail send-teamsmessage'],
  ['publish', 'publish-module publish-script publish-psresource publish-package'],
];

export const CMDLETS: ReadonlyMap<string, Effect> = new Map(
  rows.flatMap(([effect, names]) => words(names).map((name) => [name, effect] as const)),
);

const LOOKS =
  /^(?:get|test|measure|find|search|show|select|compare|resolve|convertto|convertfrom|convert|format|read|sort|group|where|wait|trace|watch|debug|ping|join|split|confirm|assert|write|receive|import)-/;
/** Verbs that take away. */
const TAKES =
  /^(?:remove|clear|disable|uninstall|unregister|revoke|reset|dismount|deny|block|lock|suspend|undo|unpublish|stop)-/;
const IDENTITY =
  /^(?:new|set|add|remove|enable|disable|grant|revoke|reset|unlock|update)-(?:ad(?!f|l)|azad|azrole|azuread|mg|mso|azuser|azkeyvaultaccess|mailbox|iam|ec2keypair|aduser)/;
const CLOUD = /^[a-z]+-(?:az|ec2|s3|rds|lm|ecs|eks|iam|cfn|gce|gcs|vm|hv|vapp|sql|dsc)/;

/** A name no row has, by what its verb says. Undefined when it is no `Verb-Noun` at all. */
export function cmdletByVerb(name: string): Effect | undefined {
  if (!/^[a-z]+-[a-z]\w*$/.test(name)) return undefined;
  if (LOOKS.test(name))
    return /secret|password|credential|keyvaultkey|storageaccountkey/.test(name) && name.startsWith('get-')
      ? 'secret_fetch'
      : 'read';
  if (IDENTITY.test(name)) return 'identity_change';
  if (CLOUD.test(name))
    return TAKES.test(name) && !/^(?:stop|suspend|lock)-/.test(name) ? 'infra_destroy' : 'infra_change';
  if (/^publish-/.test(name)) return 'publish';
  if (/^(?:install|uninstall)-/.test(name)) return 'install_system';
  return TAKES.test(name) ? 'unknown' : 'run_unknown';
}

/** Met where the line as a whole could not be read: what it may do at worst, undefined when it is no cmdlet. */
export function cmdletUnread(name: string): Effect | undefined {
  const lower = name.toLowerCase();
  const effect = lower.includes('-')
    ? (CMDLETS.get(lower) ?? (lower === name ? undefined : cmdletByVerb(lower)))
    : undefined;
  if (effect === undefined || /^(?:none|read|build|run_unknown|process_own)$/.test(effect)) return undefined;
  return /^(?:write|overwrite|delete)$/.test(effect) ? 'unknown' : effect;
}

/** Members of values that only compute. */
export const HARMLESS_MEMBERS = new Set(
  words(
    'tostring split replace trim trimstart trimend substring tolower toupper tolowerinvariant toupperinvariant contains startswith endswith padleft padright add addrange count where foreach gettype indexof lastindexof join matches match ismatch adddays addhours addminutes addseconds addmonths addyears elapsed containskey getenumerator tochararray insert toarray touniversaltime tolocaltime equals compareto getlength clone sort reverse first last keys values length name round floor ceiling abs max min pow sqrt now parse tryparse newguid format concat isnullorempty isnullorwhitespace combine getfilename getextension getfilenamewithoutextension getdirectoryname getfullpath gettempfilename gettemppath changeextension getbytes getstring tobase64string frombase64string toint32 todatetime tosingle todouble escape unescape exists readalltext readalllines readallbytes readlines getfiles getdirectories enumeratefiles getenvironmentvariable getfolderpath createnew getresponse getresponsestream startnew stop',
  ),
);
