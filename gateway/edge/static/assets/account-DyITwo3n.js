import{i as e,n as t,s as n,t as r}from"./jsx-runtime-Vg7gJn2C.js";import{n as i,r as a,t as o}from"./page-DGIiAQoq.js";import{r as s,t as c}from"./gateway-Ha5FbQ50.js";var l=n(e(),1),u=t(),d=`query Account {
  viewer {
    user {
      email
      totpEnabled
    }
    tenant {
      id
      name
      role
      plan
      status
    }
    scopes
    organisations {
      id
      name
      role
      status
    }
  }
  signInMethods
}
`,f=`mutation ApiKeyCreate($input: ApiKeyCreateInput!) {
  apiKeyCreate(input: $input) {
    apiKey {
      id
      name
    }
    secret
    userErrors {
      field
      code
      message
    }
  }
}
`,p=`mutation ApiKeyRevoke($input: ApiKeyRevokeInput!) {
  apiKeyRevoke(input: $input) {
    apiKey {
      id
    }
    userErrors {
      field
      code
      message
    }
  }
}
`,m=`query ApiKeys($after: Cursor) {
  apiKeys(first: 50, after: $after) {
    nodes {
      id
      name
      prefix
      scopes
      createdAt
      expiresAt
      lastUsedAt
      status
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`,h=`mutation InvitationAccept($input: InvitationAcceptInput!) {
  invitationAccept(input: $input) {
    organisation {
      id
      name
    }
    userErrors {
      field
      code
      message
    }
  }
}
`,g=`mutation OrganisationCreate($input: OrganisationCreateInput!) {
  organisationCreate(input: $input) {
    organisation {
      id
      name
    }
    userErrors {
      field
      code
      message
    }
  }
}
`,ee=`mutation OrganisationSwitch($input: OrganisationSwitchInput!) {
  organisationSwitch(input: $input) {
    organisation {
      id
      name
    }
    userErrors {
      field
      code
      message
    }
  }
}
`,te=`mutation PasswordChange($input: PasswordChangeInput!) {
  passwordChange(input: $input) {
    changed
    userErrors {
      field
      code
      message
    }
  }
}
`,ne=`mutation PasswordReset($input: PasswordResetInput!) {
  passwordReset(input: $input) {
    changed
    userErrors {
      field
      code
      message
    }
  }
}
`,re=`mutation PasswordResetRequest($input: PasswordResetRequestInput!) {
  passwordResetRequest(input: $input) {
    accepted
    userErrors {
      field
      code
      message
    }
  }
}
`,ie=`mutation RecoveryCodesRenew($input: RecoveryCodesRenewInput!) {
  recoveryCodesRenew(input: $input) {
    recoveryCodes
    userErrors {
      field
      code
      message
    }
  }
}
`,ae=`mutation SessionConfirm($input: SessionConfirmInput!) {
  sessionConfirm(input: $input) {
    session {
      id
    }
    userErrors {
      field
      code
      message
    }
  }
}
`,oe=`mutation SessionCreate($input: SessionCreateInput!) {
  sessionCreate(input: $input) {
    secondFactorRequired
    userErrors {
      field
      code
      message
    }
  }
}
`,se=`mutation SessionEnd {
  sessionEnd {
    session {
      id
    }
    userErrors {
      field
      code
      message
    }
  }
}
`,_=`mutation SessionRevoke($input: SessionRevokeInput!) {
  sessionRevoke(input: $input) {
    session {
      id
    }
    userErrors {
      field
      code
      message
    }
  }
}
`,v=`query Sessions($after: Cursor) {
  sessions(first: 50, after: $after) {
    nodes {
      id
      userAgent
      clientIp
      createdAt
      lastSeenAt
      current
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`,y=`mutation SessionsRevokeOthers {
  sessionsRevokeOthers {
    revoked
    userErrors {
      field
      code
      message
    }
  }
}
`,b=`mutation TotpConfirm($input: TotpConfirmInput!) {
  totpConfirm(input: $input) {
    recoveryCodes
    userErrors {
      field
      code
      message
    }
  }
}
`,x=`mutation TotpDisable($input: TotpDisableInput!) {
  totpDisable(input: $input) {
    disabled
    userErrors {
      field
      code
      message
    }
  }
}
`,S=`mutation TotpStart {
  totpStart {
    secret
    uri
    userErrors {
      field
      code
      message
    }
  }
}
`,C=`mutation UserSignUp($input: UserSignUpInput!) {
  userSignUp(input: $input) {
    accepted
    userErrors {
      field
      code
      message
    }
  }
}
`,ce=`mutation UserVerificationResend($input: UserVerificationResendInput!) {
  userVerificationResend(input: $input) {
    accepted
    userErrors {
      field
      code
      message
    }
  }
}
`,le=`mutation UserVerify($input: UserVerifyInput!) {
  userVerify(input: $input) {
    verified
    passwordNeeded
    userErrors {
      field
      code
      message
    }
  }
}
`,ue={CREDENTIALS_INVALID:`The address or the password is not right.`,EMAIL_NOT_VERIFIED:`The address is not confirmed yet: follow the link in the mail, or ask for another link.`,TOKEN_INVALID:`This link was used before, or is too old: ask for another one.`,NO_PASSWORD:`You have no password yet: ask for a link to set one.`,NOT_BEGUN:`This took longer than five minutes: begin again.`},de=(e,t)=>ue[e]??t,fe={BAD_RETURN_TO:`The link to the provider was not right: begin again here.`,STATE_INVALID:`The sign-in was begun in another browser, or took longer than ten minutes: begin again.`,DENIED:`You did not agree at the provider, so nobody was signed in.`,PROVIDER_FAILED:`The provider did not answer as it should: try again later, or use a password.`,ADDRESS_NOT_VERIFIED:`The provider has not confirmed your e-mail address: confirm it there first.`,ADDRESS_NOT_ACCEPTED:`The e-mail address that the provider has of you cannot be used here.`,ACCOUNT_NOT_VERIFIED:`Somebody signed up with your address and has not confirmed it: follow the link in the mail first.`,SIGN_UP_CLOSED:`Nobody can sign up here, and you have no account yet: ask the operator for one.`,INVITATION_REQUIRED:`Only invited people can sign up here: follow the link of an invitation.`,INVITATION_INVALID:`The invitation is over, or was sent to another address: ask for a new one.`},pe=e=>fe[e]??`Nobody was signed in: try again.`,w=e=>e.toLowerCase().replaceAll(`_`,` `),me=Object.assign({"./account.graphql":d,"./apiKeyCreate.graphql":f,"./apiKeyRevoke.graphql":p,"./apiKeys.graphql":m,"./invitationAccept.graphql":h,"./organisationCreate.graphql":g,"./organisationSwitch.graphql":ee,"./passwordChange.graphql":te,"./passwordReset.graphql":ne,"./passwordResetRequest.graphql":re,"./recoveryCodesRenew.graphql":ie,"./sessionConfirm.graphql":ae,"./sessionCreate.graphql":oe,"./sessionEnd.graphql":se,"./sessionRevoke.graphql":_,"./sessions.graphql":v,"./sessionsRevokeOthers.graphql":y,"./totpConfirm.graphql":b,"./totpDisable.graphql":x,"./totpStart.graphql":S,"./userSignUp.graphql":C,"./userVerificationResend.graphql":ce,"./userVerify.graphql":le}),T=e=>me[`./${e}.graphql`];async function E(e,t){try{let n=(await s(T(e),t?{input:t}:{}))[e];return{done:n,problems:n.userErrors.map(({field:e,code:t,message:n})=>({field:e?.at(-1)??null,code:t,message:de(t,n)}))}}catch(e){if(e instanceof c)return{done:null,problems:[{field:null,code:e.code??``,message:e.message}]};throw e}}var D=(0,l.createContext)(null),O=()=>(0,l.useContext)(D);function k(){let[e,t]=(0,l.useState)(null),[n,r]=(0,l.useState)(null),[i,a]=(0,l.useState)(``),[o,u]=(0,l.useState)(0),[d,f]=(0,l.useState)(0),p=(0,l.useCallback)(()=>u(e=>e+1),[]);return(0,l.useEffect)(()=>{let e=new AbortController;return s(T(`account`),{},e.signal).then(e=>{t(e),f(e=>e+1),r(null)},t=>{e.signal.aborted||r(t instanceof c?t:new c(String(t)))}),()=>e.abort()},[o]),{seen:e,fault:n,version:d,refresh:p,notice:i,tell:a}}function A(e){let{version:t}=O(),[n,r]=(0,l.useState)(null),[i,a]=(0,l.useState)(null),o=(0,l.useCallback)(async(t,n)=>{try{let i=t.at(-1)?.pageInfo.endCursor??null,o=await s(T(e),{after:i},n);r([...t,o[e]]),a(null)}catch(e){n?.aborted||a(e instanceof c?e:new c(String(e)))}},[e]);(0,l.useEffect)(()=>{let e=new AbortController;return o([],e.signal),()=>e.abort()},[o,t]);let u=n?.at(-1)?.pageInfo.hasNextPage??!1;return{nodes:n?.flatMap(({nodes:e})=>e)??null,fault:i,more:n&&u?()=>void o(n):null}}var j=r(),M={name:`email`,label:`E-mail address`,type:`email`,autoComplete:`username`},N={name:`password`,label:`Password`,type:`password`,autoComplete:`current-password`},P={name:`password`,label:`New password`,type:`password`,autoComplete:`new-password`,hint:`10 characters or more that are hard to guess, such as four uncommon words.`},F={name:`code`,label:`Code`,autoComplete:`one-time-code`,hint:`Six digits of your authenticator.`};function I(e){let{refresh:t}=O(),[n,r]=(0,l.useState)(!1),[i,a]=(0,l.useState)([]);return{busy:n,problems:i,run:async i=>{if(n)return!1;r(!0),a([]);try{let n=await e(i);return a(n),n.some(({code:e})=>e===`UNAUTHENTICATED`)&&t(),n.length===0}catch(e){return a([{field:null,code:``,message:`This page failed: ${e instanceof Error?e.message:e}`}]),!1}finally{r(!1)}}}}function L({problems:e}){return e.map(({code:e,message:t})=>(0,j.jsx)(`p`,{className:`fault`,role:`alert`,children:t},e+t))}function R({fields:e,button:t,send:n,children:r,quiet:i=!1}){let a=(0,l.useRef)(null),{busy:o,problems:s,run:c}=I(n),u=t=>e.some(({name:e})=>e===t.field);(0,l.useEffect)(()=>{a.current?.querySelector(`[aria-invalid=true]`)?.focus()},[s]);let d=async e=>{e.preventDefault();let t=a.current;await c(new FormData(t))&&t.reset()};return(0,j.jsxs)(`form`,{ref:a,method:`post`,onSubmit:e=>void d(e),children:[e.map(e=>(0,j.jsx)(z,{field:e,problem:s.find(t=>t.field===e.name)??null},e.name)),r,(0,j.jsx)(L,{problems:s.filter(e=>!u(e))}),(0,j.jsx)(`button`,{type:`submit`,className:i?`quiet`:`button`,"aria-disabled":o,children:o?`One moment…`:t})]})}function z({field:e,problem:t}){let n=(0,l.useId)(),r=[e.hint&&`${n}-hint`,t&&`${n}-problem`].filter(Boolean).join(` `);return(0,j.jsxs)(`div`,{className:`entry`,children:[(0,j.jsx)(`label`,{htmlFor:n,children:e.label}),(0,j.jsx)(`input`,{id:n,name:e.name,type:e.type??`text`,autoComplete:e.autoComplete??`off`,spellCheck:!1,autoCapitalize:`none`,required:!0,"aria-invalid":t?!0:void 0,"aria-describedby":r||void 0}),e.hint&&(0,j.jsx)(`p`,{id:`${n}-hint`,className:`hint`,children:e.hint}),t&&(0,j.jsx)(`p`,{id:`${n}-problem`,className:`wrong`,role:`alert`,children:t.message})]})}function B({label:e,about:t,sure:n,send:r}){let{busy:i,problems:a,run:o}=I(r),[s,c]=(0,l.useState)(!1),u=s&&n?n:e;return(0,j.jsxs)(j.Fragment,{children:[(0,j.jsx)(`button`,{type:`button`,className:s?`quiet sure`:`quiet`,"aria-label":t?`${u}: ${t}`:void 0,"aria-disabled":i,onClick:()=>{n&&!s?c(!0):o(new FormData).then(()=>c(!1))},onBlur:()=>c(!1),children:u}),(0,j.jsx)(L,{problems:a})]})}var he={name:`recoveryCode`,label:`Recovery code`,hint:`Each works once.`};function V({send:e}){let[t,n]=(0,l.useState)(!1);return(0,j.jsxs)(j.Fragment,{children:[(0,j.jsx)(R,{fields:[t?he:F],button:`Sign in`,send:n=>e(t?{recoveryCode:String(n.get(`recoveryCode`))}:{code:String(n.get(`code`))})},String(t)),(0,j.jsx)(`p`,{className:`ways`,children:(0,j.jsx)(`button`,{type:`button`,className:`quiet`,onClick:()=>n(!t),children:t?`Use the authenticator`:`Use a recovery code`})})]})}function H({title:e,hint:t,children:n}){let r=(0,l.useId)();return(0,j.jsxs)(`section`,{className:`panel`,"aria-labelledby":r,children:[(0,j.jsxs)(`div`,{className:`panel-head`,children:[(0,j.jsx)(`h2`,{id:r,children:e}),t&&(0,j.jsx)(`span`,{className:`hint`,children:t})]}),(0,j.jsx)(`div`,{className:`inside`,children:n})]})}function U({at:e}){return(0,j.jsx)(`time`,{dateTime:e,children:new Date(e).toLocaleString([],{dateStyle:`medium`,timeStyle:`short`})})}var ge=[`sign-in`,`sign-up`,`reset`,`verify`,`invitation`,`second-factor`],W=`marketgate.invitation`;function G(){let[e,t]=(0,l.useState)(K);return(0,l.useEffect)(()=>{let e=()=>t(K());return window.addEventListener(`hashchange`,e),()=>window.removeEventListener(`hashchange`,e)},[]),(0,l.useEffect)(()=>{(window.location.search||window.location.hash.includes(`?`))&&window.history.replaceState(null,``,`/account${e.name?`#${e.name}`:``}`)},[e]),[e,()=>{window.history.replaceState(null,``,`/account`),t(K())}]}function K(){let[e,t]=window.location.hash.slice(1).split(`?`,2),n=new URLSearchParams(t),r=new URLSearchParams(window.location.search),i=r.get(`secondFactor`)?`second-factor`:ge.find(t=>t===e)??null,a=n.get(`token`),o=i===`invitation`?a:n.get(`invitation`);return o&&Y(o),{name:i,token:a,returnTo:_e(r.get(`returnTo`)),failure:r.get(`signInError`)}}function _e(e){try{let t=new URL(e??``,window.location.origin);if(e&&t.origin===window.location.origin&&!t.pathname.startsWith(`//`))return t.pathname+t.search+t.hash}catch{}return`/account`}var q=null;function J(){try{return q??window.sessionStorage.getItem(W)}catch{return q}}function Y(e){q=e;try{e?window.sessionStorage.setItem(W,e):window.sessionStorage.removeItem(W)}catch{}}var ve=[[`GOOGLE`,`google`,`Google`],[`GITHUB`,`github`,`GitHub`]];function ye({name:e,leave:t}){return e===`sign-up`?(0,j.jsx)(xe,{leave:t}):e===`reset`?(0,j.jsx)(Se,{leave:t}):(0,j.jsx)(be,{leave:t})}function be({leave:e}){let{refresh:t,tell:n}=O(),[r,i]=(0,l.useState)(null),[a,o]=(0,l.useState)(!1),s=async r=>{let{done:a,problems:s}=await E(`sessionCreate`,{...r,cookie:!0});return o(s.some(({code:e})=>e===`EMAIL_NOT_VERIFIED`)),a?.secondFactorRequired?i({email:r.email,password:r.password}):s.length===0&&(n(``),e(),t()),s};return r?(0,j.jsxs)(H,{title:`Second factor`,hint:r.email,children:[(0,j.jsx)(V,{send:e=>s({...r,...e})}),(0,j.jsx)(`p`,{className:`ways`,children:(0,j.jsx)(`button`,{type:`button`,className:`quiet`,onClick:()=>i(null),children:`Back`})})]}):(0,j.jsxs)(H,{title:`Sign in`,children:[(0,j.jsx)(R,{fields:[M,N],button:`Sign in`,send:e=>s({email:String(e.get(`email`)),password:String(e.get(`password`))})}),(0,j.jsx)(X,{}),(0,j.jsxs)(`p`,{className:`ways`,children:[(0,j.jsx)(`a`,{href:`#sign-up`,children:`Sign up`}),(0,j.jsx)(`a`,{href:`#reset`,children:`Forgot the password?`}),a&&(0,j.jsx)(`a`,{href:`#verify`,children:`Send me another link to confirm my address`})]})]})}function X(){let{seen:e}=O(),t=J(),n=new URLSearchParams({return_to:`/account`,...t&&{invitation:t}}),r=ve.filter(([t])=>e?.signInMethods.includes(t));return r.length===0?null:(0,j.jsx)(`p`,{className:`ways`,children:r.map(([e,t,r])=>(0,j.jsxs)(`a`,{className:`quiet`,href:`/oauth/${t}/start?${n}`,children:[`Continue with `,r]},e))})}function xe({leave:e}){let{tell:t}=O(),n=async n=>{let r=String(n.get(`email`)),i=J(),{problems:a}=await E(`userSignUp`,{email:r,password:String(n.get(`password`)),...i&&{invitationToken:i}});return a.length===0&&(t(`A mail is on its way to ${r}. Follow the link in it to confirm the address; then sign in here.`),e()),a};return(0,j.jsxs)(H,{title:`Sign up`,children:[(0,j.jsx)(R,{fields:[M,{...P,label:`Password`}],button:`Sign up`,send:n}),(0,j.jsx)(X,{}),(0,j.jsx)(`p`,{className:`ways`,children:(0,j.jsx)(`a`,{href:`#sign-in`,children:`I have an account`})})]})}function Se({leave:e}){return(0,j.jsxs)(H,{title:`Set a new password`,children:[(0,j.jsx)(`p`,{className:`hint`,children:`We send you a link that sets a new password. It works for one hour.`}),(0,j.jsx)(Z,{mutation:`passwordResetRequest`,leave:e}),(0,j.jsx)(`p`,{className:`ways`,children:(0,j.jsx)(`a`,{href:`#sign-in`,children:`Back to sign in`})})]})}function Z({mutation:e,leave:t}){let{tell:n}=O();return(0,j.jsx)(R,{fields:[M],button:`Send me a link`,send:async r=>{let i=String(r.get(`email`)),{problems:a}=await E(e,{email:i});return a.length===0&&(n(`A mail is on its way to ${i}.`),t()),a}})}function Ce({place:{token:e},leave:t}){let{refresh:n,tell:r}=O(),[i,a]=(0,l.useState)(e===null);return(0,j.jsxs)(H,{title:`Confirm your e-mail address`,children:[e!==null&&(0,j.jsx)(R,{fields:[],button:`Confirm`,send:async()=>{let{done:i,problems:o}=await E(`userVerify`,{token:e});return a(o.some(({code:e})=>e===`TOKEN_INVALID`)),i&&o.length===0&&(r(i.passwordNeeded?we:`Your address is confirmed: you can sign in now.`),t(),i.passwordNeeded&&(window.location.hash=`reset`),n()),o}}),i&&(0,j.jsxs)(j.Fragment,{children:[(0,j.jsx)(`p`,{className:`hint`,children:`We send you another link. It works once, for 24 hours.`}),(0,j.jsx)(Z,{mutation:`userVerificationResend`,leave:t})]}),(0,j.jsx)(`p`,{className:`ways`,children:(0,j.jsx)(`a`,{href:`#sign-in`,children:`Back to sign in`})})]})}var we=`Your address is confirmed. It was signed up with twice, with different passwords: set a new one by a link that we send you.`;function Te({place:{token:e},leave:t}){let{refresh:n,tell:r}=O();return(0,j.jsxs)(H,{title:`Set a new password`,children:[(0,j.jsx)(R,{fields:[P],button:`Set the password`,send:async i=>{let{problems:a}=await E(`passwordReset`,{token:e,password:String(i.get(`password`))});return a.length===0&&(r(`The new password holds, and everybody was signed out: sign in with it.`),t(),n()),a}}),(0,j.jsx)(`p`,{className:`ways`,children:(0,j.jsx)(`a`,{href:`#reset`,children:`Send me another link`})})]})}function Ee({place:{returnTo:e},leave:t}){let{refresh:n}=O();return(0,j.jsxs)(H,{title:`Second factor`,children:[(0,j.jsx)(V,{send:async r=>{let{problems:i}=await E(`sessionConfirm`,r);return i.length===0&&(e!==`/account`&&window.location.assign(e),t(),n()),i}}),(0,j.jsx)(`p`,{className:`ways`,children:(0,j.jsx)(`a`,{href:`#sign-in`,children:`Back to sign in`})})]})}function De({signedIn:e,leave:t}){let{refresh:n,tell:r}=O(),i=J();if(i===null)return null;let a=e=>{Y(null),r(e),t(),n()};return(0,j.jsxs)(H,{title:`You are invited to an organisation`,children:[!e&&(0,j.jsx)(`p`,{className:`hint`,children:`Sign in, or sign up, with the address that the invitation was sent to.`}),(0,j.jsxs)(`p`,{className:`ways`,children:[e&&(0,j.jsx)(B,{label:`Accept the invitation`,send:async()=>{let{done:e,problems:t}=await E(`invitationAccept`,{token:i});if(t.length>0||!e?.organisation)return t;let{id:n,name:r}=e.organisation,o=await E(`organisationSwitch`,{id:n});return a(`You belong to ${r} now.`),o.problems}}),(0,j.jsx)(B,{label:`Not now`,send:async()=>(a(`The invitation was left alone; its link still works.`),[])})]})]})}var Oe={name:`name`,label:`Name`,hint:`What it is for, such as “price bot”.`},ke=[`market:read`,`stream:read`];function Ae({scopes:e}){let{refresh:t}=O(),{nodes:n,fault:r,more:i}=A(`apiKeys`),[a,s]=(0,l.useState)(null),c=e.includes(`keys:write`),u=async e=>{let{done:n,problems:r}=await E(`apiKeyCreate`,{name:String(e.get(`name`)),scopes:e.getAll(`scopes`).map(String)});return n?.apiKey&&n.secret&&(s({name:n.apiKey.name,secret:n.secret}),t()),r},d=async e=>{let{problems:n}=await E(`apiKeyRevoke`,{id:e});return n.length===0&&t(),n};return(0,j.jsxs)(H,{title:`API keys`,hint:`sent as the header X-API-Key`,children:[(0,j.jsx)(`div`,{role:`status`,children:a&&(0,j.jsxs)(`div`,{className:`once`,children:[(0,j.jsxs)(`p`,{children:[`The key `,(0,j.jsx)(`strong`,{children:a.name}),`. Copy it now: it is not shown again.`]}),(0,j.jsx)(`code`,{className:`secret`,children:a.secret}),(0,j.jsx)(o,{label:`Copy the key`,text:a.secret})]})}),r&&(0,j.jsx)(`p`,{className:`fault`,role:`alert`,children:r.message}),n?.length===0&&(0,j.jsx)(`p`,{className:`hint`,children:`There is no key yet.`}),(0,j.jsx)(`ul`,{className:`rows keys`,children:n?.map(e=>(0,j.jsxs)(`li`,{children:[(0,j.jsxs)(`div`,{children:[(0,j.jsx)(`strong`,{children:e.name}),` `,(0,j.jsx)(`code`,{children:e.prefix}),` `,e.status!==`ACTIVE`&&(0,j.jsx)(`em`,{children:w(e.status)}),(0,j.jsxs)(`small`,{children:[e.scopes.join(`, `),` · made `,(0,j.jsx)(U,{at:e.createdAt}),e.expiresAt&&(0,j.jsxs)(j.Fragment,{children:[` · ends `,(0,j.jsx)(U,{at:e.expiresAt})]}),` · `,e.lastUsedAt?(0,j.jsxs)(j.Fragment,{children:[`used `,(0,j.jsx)(U,{at:e.lastUsedAt})]}):`not used yet`]})]}),c&&[`ACTIVE`,`ROTATED`].includes(e.status)&&(0,j.jsx)(`div`,{children:(0,j.jsx)(B,{label:`Revoke`,sure:`Revoke for good`,about:e.name,send:()=>d(e.id)})})]},e.id))}),i&&(0,j.jsx)(`button`,{type:`button`,className:`quiet`,onClick:i,children:`Show more`}),c&&(0,j.jsxs)(`details`,{children:[(0,j.jsx)(`summary`,{children:`Create a key`}),(0,j.jsx)(R,{fields:[Oe],button:`Create the key`,send:u,children:(0,j.jsxs)(`fieldset`,{className:`scopes`,children:[(0,j.jsx)(`legend`,{children:`What it may do`}),e.map(e=>(0,j.jsxs)(`label`,{children:[(0,j.jsx)(`input`,{type:`checkbox`,name:`scopes`,value:e,defaultChecked:ke.includes(e)}),(0,j.jsx)(`code`,{children:e})]},e))]})})]})]})}function je({viewer:{tenant:e,organisations:t}}){let{refresh:n,tell:r}=O(),i=async e=>{let{done:t,problems:i}=await E(`organisationSwitch`,{id:e});return i.length===0&&(r(`You act in ${t?.organisation?.name} now.`),n()),i},a=async e=>{let{done:t,problems:n}=await E(`organisationCreate`,{name:String(e.get(`name`))});return t?.organisation?await i(t.organisation.id):n},o=t.filter(({id:t})=>t!==e?.id);return(0,j.jsxs)(H,{title:`Organisation`,children:[e?(0,j.jsxs)(`dl`,{className:`facts`,children:[(0,j.jsx)(Q,{name:`Name`,value:e.name}),(0,j.jsx)(Q,{name:`Your role`,value:e.role?w(e.role):`–`}),(0,j.jsx)(Q,{name:`Plan`,value:e.plan}),e.status!==`ACTIVE`&&(0,j.jsx)(Q,{name:`Status`,value:w(e.status)})]}):(0,j.jsx)(`p`,{className:`hint`,children:`You act in no organisation: keys, limits and watchlists belong to one.`}),o.length>0&&(0,j.jsx)(R,{fields:[],button:`Switch`,quiet:!0,send:e=>i(String(e.get(`id`))),children:(0,j.jsxs)(`label`,{className:`entry`,children:[`Switch to`,(0,j.jsx)(`select`,{name:`id`,children:o.map(({id:e,name:t,role:n,status:r})=>(0,j.jsxs)(`option`,{value:e,children:[t,` (`,w(n),r!==`ACTIVE`&&`, ${w(r)}`,`)`]},e))})]})}),t.length===0&&(0,j.jsx)(R,{fields:[{name:`name`,label:`Name`}],button:`Create an organisation`,send:a})]})}function Q({name:e,value:t}){return(0,j.jsxs)(`div`,{children:[(0,j.jsx)(`dt`,{children:e}),(0,j.jsx)(`dd`,{children:t})]})}var Me={...N,name:`currentPassword`,label:`Current password`},Ne={...P,name:`newPassword`},$={...F,hint:`Six digits of your authenticator, or a recovery code.`};function Pe({email:e}){let{refresh:t,tell:n}=O();return(0,j.jsx)(H,{title:`Password`,children:(0,j.jsxs)(`details`,{children:[(0,j.jsx)(`summary`,{children:`Change the password`}),(0,j.jsx)(R,{fields:[Me,Ne],button:`Change the password`,send:async e=>{let{problems:r}=await E(`passwordChange`,Object.fromEntries(e));return r.length===0&&(n(`The new password holds. Everybody else who used the account was signed out.`),t()),r}}),(0,j.jsx)(`p`,{className:`ways`,children:(0,j.jsx)(B,{label:`I have none, or forgot it: send me a link`,send:async()=>{let{problems:t}=await E(`passwordResetRequest`,{email:e});return t.length===0&&n(`A mail is on its way to ${e}.`),t}})})]})})}function Fe({on:e}){let{refresh:t}=O(),[n,r]=(0,l.useState)(null),[i,a]=(0,l.useState)(null),o=async()=>{let{done:e,problems:t}=await E(`totpStart`);return t.length===0&&r(e),t},s=async(e,n)=>{let{done:i,problems:o}=await E(e,Object.fromEntries(n));return o.length===0&&(r(null),a(i?.recoveryCodes??null),t()),o};return(0,j.jsxs)(H,{title:`Second factor`,hint:e?`on`:`off`,children:[(0,j.jsx)(`div`,{role:`status`,children:i&&(0,j.jsx)(Ie,{codes:i})}),!e&&!n&&(0,j.jsx)(B,{label:`Set up an authenticator`,send:o}),!e&&n&&(0,j.jsxs)(j.Fragment,{children:[(0,j.jsxs)(`p`,{children:[`Type this secret into your authenticator, or `,(0,j.jsx)(`a`,{href:n.uri,children:`open it there`}),`; then enter the code that it shows.`]}),(0,j.jsx)(`code`,{className:`secret`,children:n.secret}),(0,j.jsx)(R,{fields:[F],button:`Switch it on`,send:e=>s(`totpConfirm`,e)})]}),e&&(0,j.jsxs)(j.Fragment,{children:[(0,j.jsxs)(`details`,{children:[(0,j.jsx)(`summary`,{children:`New recovery codes`}),(0,j.jsx)(R,{fields:[N,$],button:`Make new codes`,send:e=>s(`recoveryCodesRenew`,e)})]}),(0,j.jsxs)(`details`,{children:[(0,j.jsx)(`summary`,{children:`Switch it off`}),(0,j.jsx)(R,{fields:[N,$],button:`Switch it off`,send:e=>s(`totpDisable`,e)})]})]})]})}function Ie({codes:e}){return(0,j.jsxs)(`div`,{className:`once`,children:[(0,j.jsx)(`p`,{children:`Recovery codes, each for one sign-in without the authenticator. Keep them safe: they are not shown again.`}),(0,j.jsx)(`ul`,{className:`codes`,children:e.map(e=>(0,j.jsx)(`li`,{children:(0,j.jsx)(`code`,{children:e})},e))}),(0,j.jsx)(o,{label:`Copy the codes`,text:e.join(`
`)})]})}function Le(){let{refresh:e,tell:t}=O(),{nodes:n,fault:r,more:i}=A(`sessions`),a=async t=>{let{problems:n}=await E(`sessionRevoke`,{id:t});return e(),n};return(0,j.jsxs)(H,{title:`Sessions`,hint:`where you are signed in`,children:[r&&(0,j.jsx)(`p`,{className:`fault`,role:`alert`,children:r.message}),(0,j.jsx)(`ul`,{className:`rows sessions`,children:n?.map(({id:e,userAgent:t,clientIp:n,lastSeenAt:r,current:i})=>(0,j.jsxs)(`li`,{children:[(0,j.jsxs)(`div`,{children:[(0,j.jsx)(`strong`,{children:i?`This browser`:n??`Unknown address`}),(0,j.jsxs)(`small`,{children:[t??`Unknown program`,` · last seen `,(0,j.jsx)(U,{at:r})]})]}),!i&&(0,j.jsx)(`div`,{children:(0,j.jsx)(B,{label:`Revoke`,about:`${t??`unknown program`}, ${n??`unknown address`}`,send:()=>a(e)})})]},e))}),i&&(0,j.jsx)(`button`,{type:`button`,className:`quiet`,onClick:i,children:`Show more`}),n&&n.length>1&&(0,j.jsx)(B,{label:`Sign out everywhere else`,send:async()=>{let{problems:n}=await E(`sessionsRevokeOthers`);return n.length===0&&t(`You are signed in nowhere else now.`),e(),n}})]})}function Re(){let e=k(),[t,n]=G(),{seen:r,fault:o,notice:s,refresh:c}=e,l=r?.viewer?.user??null;return(0,j.jsxs)(D,{value:e,children:[(0,j.jsx)(`a`,{className:`skip`,href:`#main`,onClick:Ue,children:`Skip to the account`}),(0,j.jsxs)(`header`,{className:`top`,children:[(0,j.jsxs)(`a`,{className:`brand`,href:`/`,children:[(0,j.jsx)(a,{}),`Marketgate`]}),(0,j.jsxs)(`nav`,{"aria-label":`Pages`,children:[(0,j.jsx)(`a`,{href:`/`,children:`Prices`}),l&&(0,j.jsx)(He,{})]})]}),(0,j.jsxs)(`main`,{id:`main`,className:`account`,tabIndex:-1,children:[(0,j.jsx)(Ve,{email:l?.email??null,place:t}),(0,j.jsx)(`p`,{role:`status`,className:s?`note`:``,children:s}),t.failure&&(0,j.jsx)(`p`,{className:`fault`,role:`alert`,children:pe(t.failure)}),o&&(0,j.jsxs)(`p`,{className:`fault`,role:`alert`,children:[o.message,` `,(0,j.jsx)(`button`,{type:`button`,className:`quiet`,onClick:c,children:`Try again`})]}),!r&&!o&&(0,j.jsx)(`p`,{className:`note`,children:`Asking who you are…`}),r&&(0,j.jsx)(i,{children:(0,j.jsx)(ze,{place:t,leave:n,viewer:r.viewer})})]})]})}function ze({place:e,leave:t,viewer:n}){let r=n?.user!=null;return e.name===`verify`?(0,j.jsx)(Ce,{place:e,leave:t},e.token):e.name===`reset`&&e.token?(0,j.jsx)(Te,{place:e,leave:t},e.token):e.name===`second-factor`&&!r?(0,j.jsx)(Ee,{place:e,leave:t}):(0,j.jsxs)(j.Fragment,{children:[(0,j.jsx)(De,{signedIn:r,leave:t}),r?(0,j.jsx)(Be,{viewer:n}):(0,j.jsx)(ye,{name:e.name,leave:t},e.name)]})}function Be({viewer:e}){let t=e.tenant?.id??`none`;return(0,j.jsxs)(j.Fragment,{children:[(0,j.jsx)(je,{viewer:e}),e.scopes.includes(`keys:read`)&&(0,j.jsx)(Ae,{scopes:e.scopes},t),(0,j.jsx)(Le,{}),(0,j.jsx)(Pe,{email:e.user.email}),(0,j.jsx)(Fe,{on:e.user.totpEnabled})]})}function Ve({email:e,place:t}){let n=(0,l.useRef)(null),r=(0,l.useRef)(!0);return(0,l.useEffect)(()=>{r.current||n.current?.focus(),r.current=!1},[t,e]),(0,j.jsxs)(`h1`,{ref:n,tabIndex:-1,children:[`Your account`,e&&(0,j.jsxs)(`small`,{children:[` `,e]})]})}function He(){let{refresh:e,tell:t}=O();return(0,j.jsx)(B,{label:`Sign out`,send:async()=>{let{problems:n}=await E(`sessionEnd`);return t(`You are signed out.`),e(),n}})}function Ue(e){e.preventDefault(),document.getElementById(`main`)?.focus()}(0,u.createRoot)(document.getElementById(`root`)).render((0,j.jsx)(l.StrictMode,{children:(0,j.jsx)(i,{children:(0,j.jsx)(Re,{})})}));