// The organisation that the session acts in, and the others that the person belongs to.
import { useAccount } from "./account";
import { change, type Problem } from "./change";
import { Form } from "./Form";
import { Panel } from "./Panel";
import { inSmall, type Viewer } from "./words";

export function Organisation({ viewer: { tenant, organisations } }: { viewer: Viewer }) {
  const { refresh, tell } = useAccount();
  const enter = async (id: string): Promise<Problem[]> => {
    const { done, problems } = await change<Entered>("organisationSwitch", { id });
    if (problems.length === 0) {
      tell(`You act in ${done?.organisation?.name} now.`);
      refresh();
    }
    return problems;
  };
  const make = async (values: FormData): Promise<Problem[]> => {
    const { done, problems } = await change<Entered>("organisationCreate", { name: String(values.get("name")) });
    return done?.organisation ? await enter(done.organisation.id) : problems;
  };
  const others = organisations.filter(({ id }) => id !== tenant?.id);
  return (
    <Panel title="Organisation">
      {tenant ? (
        <dl className="facts">
          <Fact name="Name" value={tenant.name} />
          <Fact name="Your role" value={tenant.role ? inSmall(tenant.role) : "–"} />
          <Fact name="Plan" value={tenant.plan} />
          {tenant.status !== "ACTIVE" && <Fact name="Status" value={inSmall(tenant.status)} />}
        </dl>
      ) : (
        <p className="hint">You act in no organisation: keys, limits and watchlists belong to one.</p>
      )}
      {others.length > 0 && (
        <Form fields={[]} button="Switch" quiet send={(values) => enter(String(values.get("id")))}>
          <label className="entry">
            Switch to
            <select name="id">
              {others.map(({ id, name, role, status }) => (
                <option key={id} value={id}>
                  {name} ({inSmall(role)}
                  {status !== "ACTIVE" && `, ${inSmall(status)}`})
                </option>
              ))}
            </select>
          </label>
        </Form>
      )}
      {organisations.length === 0 && <Form fields={[{ name: "name", label: "Name" }]} button="Create an organisation" send={make} />}
    </Panel>
  );
}

type Entered = { organisation: { id: string; name: string } | null };

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
